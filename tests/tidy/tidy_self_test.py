#!/usr/bin/env python3
"""Proves that every check of tidy.py finds what it is for, and leaves good code alone."""
import pathlib
import tempfile
import unittest

import tidy


def rules(path, text):
    return sorted({v.rule for v in tidy.check_text(path, text)})


def function_of(lines):
    """A function of so many lines."""
    return "int f() {\n" + "  g();\n" * (lines - 2) + "}\n"


class Sizes(unittest.TestCase):
    def test_file(self):
        self.assertEqual(rules("core/a.cpp", "int a;\n" * 500), [])
        self.assertEqual(rules("core/a.cpp", "int a;\n" * 501), ["file-size"])
        self.assertEqual(rules("tests/core/a.cpp", "int a;\n" * 501), [])

    def test_function(self):
        self.assertEqual(rules("cli/a.cpp", function_of(70)), [])
        self.assertEqual(rules("cli/a.cpp", function_of(71)), ["function-size"])
        self.assertEqual(rules("cli/a.cpp", "namespace n {\nclass C {\n public:\n" + function_of(71) + "};\n}\n"),
                         ["function-size"])
        self.assertEqual(rules("cli/a.cpp", "enum class E { a,\n" + "b,\n" * 90 + "};\n"), [])
        self.assertEqual(rules("cli/a.cpp", "class C {\n" + "int a;\n" * 90 + "};\n"), [])
        self.assertEqual(rules("cli/a.cpp", "const int table[] = {\n" + "1,\n" * 90 + "};\n"), [])

    def test_function_heads(self):
        for head in ("C::C(int a) : a_{a}, b_(a) {", "C::C(int a)\n    : a_{a}, b_{f(a)} {", "auto C::f() const -> int {",
                     "template <typename T>\nvoid f(T t) {", "struct S g(int a) {", "C::C() noexcept : a_(1) {",
                     "bool C::operator==(const C& o) const {", "[[nodiscard]] std::vector<int> f(std::map<int, int> m) {"):
            text = head + "\n" + "  g();\n" * 71 + "}\n"
            self.assertEqual(rules("core/a.cpp", text), ["function-size"], head)
            found = list(tidy.functions(tidy.code_only(head + "\n  g();\n}\nint after() { return 1; }\n")))
            self.assertEqual(len(found), 2, (head, found))

    def test_braces_in_literals_and_comments(self):
        text = 'int f() {\n  g("{", \'{\', R"(}{)");  // {\n  /* { */\n  return 1\'000;\n}\n'
        self.assertEqual([(a, b) for a, b, _ in tidy.functions(tidy.code_only(text))], [(1, 5)])


class Includes(unittest.TestCase):
    def check(self, path, include, bad):
        expected = ["include-direction"] if bad else []
        self.assertEqual(rules(path, f"#include {include}\n"), expected, f"{path}: {include}")

    def test_core(self):
        self.check("core/a.cpp", "<vector>", False)
        self.check("core/a.cpp", '"plan.h"', False)
        self.check("core/a.cpp", '"worker_runtime/ids.h"', False)
        for include in ("<filesystem>", "<fstream>", "<random>", "<unistd.h>", "<sys/stat.h>", "<simdjson.h>",
                        "<rapidjson/writer.h>", "<isa-l/crc.h>", '"worker_runtime/fs_store/json.h"', '"../fs_store/x.h"'):
            self.check("core/a.cpp", include, True)
        self.check("core/include/worker_runtime/a.h", '"plan.h"', True)

    def test_fs_store(self):
        for include in ("<simdjson.h>", "<isa-l/crc.h>", "<filesystem>", '"layout.h"', '"worker_runtime/ids.h"'):
            self.check("fs_store/a.cpp", include, False)
        self.check("fs_store/posix_file_system.cpp", "<unistd.h>", False)
        for include in ("<unistd.h>", "<CLI/CLI.hpp>", '"../core/plan.h"'):
            self.check("fs_store/a.cpp", include, True)
        self.check("fs_store/include/worker_runtime/fs_store/a.h", "<simdjson.h>", True)

    def test_cli(self):
        for include in ("<CLI/CLI.hpp>", '"output.h"', '"worker_runtime/fs_store/json.h"', "<unistd.h>"):
            self.check("cli/a.cpp", include, False)
        for include in ("<simdjson.h>", "<rapidjson/writer.h>", '"../fs_store/layout.h"', "<boost/any.hpp>"):
            self.check("cli/a.cpp", include, True)


class Bans(unittest.TestCase):
    BAD = {
        "posix-file-call": ("void f() { fsync(fd); }", "void f() { ::open(p, 0); }", "int f() { return ::rename(a, b); }",
                            "int f() { if (!fdatasync(fd)) return 1; }", "std::ofstream out(p);",
                            "void f() { std::filesystem::rename(a, b); }", "void f() { x = pwrite(fd, p, n, 0); }"),
        "sleep": ("void f() { std::this_thread::sleep_for(1ms); }", "void f() { usleep(1); }"),
        "random": ("int f() { return rand(); }", "int f() { return std::rand(); }"),
        "shell": ('void f() { std::system("ls"); }', 'void f() { popen("ls", "r"); }'),
        "clock": ("auto t = std::chrono::system_clock::now();", "auto f() { return time(nullptr); }"),
        "using-namespace": ("using namespace std;",),
        "function-macro": ("#define MAX(a, b) a", "#  define F(x)"),
        "detach": ("void f() { t.detach(); }",),
    }
    GOOD = (
        "void f() { file.fsync(); }", "Result<void> fdatasync(Handle handle);", "Result<File> File::open(Path p);",
        "// fsync(fd) is what the file system does here\n", 'auto s = "rand()";', "#define FLAG 1\n",
        "using std::chrono::seconds;", "auto t = clock();", "auto t = std::chrono::steady_clock::now();",
        "static Result<T> open(Path path);", "int operand(int a);", "auto time = clock_->now();",
    )

    def test_bad(self):
        for rule, samples in self.BAD.items():
            for sample in samples:
                self.assertEqual(rules("fs_store/a.cpp", sample + "\n"), [rule], sample)

    def test_good(self):
        for sample in self.GOOD:
            self.assertEqual(rules("fs_store/a.cpp", sample.rstrip() + "\n"), [], sample)

    def test_where_it_is_allowed(self):
        self.assertEqual(rules("fs_store/posix_file_system.cpp", "void f() { ::fsync(fd); }\n"), [])
        self.assertEqual(rules("core/a.cpp", "std::random_device d;\n"), ["random"])
        self.assertEqual(rules("fs_store/a.cpp", "std::random_device d;\n"), [])
        self.assertEqual(rules("core/clock.cpp", "auto t = std::chrono::system_clock::now();\n"), [])

    def test_reasons(self):
        call = "void f() { ::open(p, 0); }"
        self.assertEqual(rules("cli/a.cpp", f"// tidy-allow(posix-file-call): output of a command\n{call}\n"), [])
        self.assertEqual(rules("cli/a.cpp", f"{call}  // tidy-allow(posix-file-call): output\n"), [])
        self.assertEqual(rules("cli/a.cpp", f"// tidy-allow-file(posix-file-call): output\n\n\n{call}\n"), [])
        self.assertEqual(rules("cli/a.cpp", f"// tidy-allow(posix-file-call):\n{call}\n"), ["posix-file-call"])
        self.assertEqual(rules("cli/a.cpp", f"// tidy-allow(sleep): wrong rule\n{call}\n"), ["posix-file-call"])


class Leftovers(unittest.TestCase):
    def test_words(self):
        for word in ("TO" + "DO", "FIX" + "ME", "X" + "XX"):
            self.assertEqual(rules("core/a.cpp", f"// {word} later\n"), ["leftover"])
        self.assertEqual(rules("core/a.cpp", 'auto name = "tmp.XXXXXX";\n'), [])

    def test_machine_paths(self):
        for top in ("work", "root"):
            self.assertEqual(rules("docs/a.md", f"see /{top}/x\n"), ["machine-path"])
        self.assertEqual(rules("docs/a.md", "see <root>/runtimes, my/work/x, https://a.b/work/x\n"), [])

    def test_commented_code(self):
        for line in ("// return x;", "//   foo(bar);", "// int a = 1;", "// if (a) {", "// #include <x>", "// a->b(c);",
                     "// }"):
            self.assertEqual(rules("core/a.cpp", line + "\n"), ["commented-code"], line)
        for line in ("// Called once; the leader returns;", "/// foo(bar);", "// the log is cut to its watermark;",
                     '// {"crc":"9ae0daaf",<rest>', "// tests both (see above);", "// if it fits, it is written first"):
            self.assertEqual(rules("core/a.cpp", line + "\n"), [], line)

    def test_white_space(self):
        for text in ("a \n", "a", "a\r\n", "\ta\n"):
            self.assertEqual(rules("core/a.cpp", text), ["white-space"], repr(text))


class PublicHeaders(unittest.TestCase):
    def found(self, headers):
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            directory = root / "core" / "include" / "worker_runtime"
            directory.mkdir(parents=True)
            for header, text in headers.items():
                (directory / header).write_text(text)
            return sorted({v.rule for v in tidy.check_tree(root, compiler="c++")})

    def test_self_contained(self):
        good = "#pragma once\n#include <string>\nstd::string f();\n"
        self.assertEqual(self.found({"a.h": good}), [])
        self.assertEqual(self.found({"a.h": "#pragma once\nstd::string f();\n"}), ["self-contained"])
        self.assertEqual(self.found({"a.h": "int f() { return 1; }\n"}), ["self-contained"])

    def test_number(self):
        self.assertEqual(self.found({f"a{i}.h": "#pragma once\n" for i in range(13)}), ["public-headers"])


if __name__ == "__main__":
    unittest.main()
