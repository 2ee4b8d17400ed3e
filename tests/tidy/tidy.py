#!/usr/bin/env python3
"""The conventions of this project that a machine can check. Usage: tidy.py ROOT [--compiler CXX]

Prints one line a violation (`file:line: [rule] what to do instead`) and exits 1 if there is any.
A place that has a reason says so, on its line or the one above:     // tidy-allow(rule): reason
or for a whole file, anywhere in it:                                 // tidy-allow-file(rule): reason
"""
import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys
from typing import NamedTuple

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
CORE_PUBLIC_HEADERS_MAX = 12

COMPONENTS = ("core", "fs_store", "c", "cli")
TEXT_DIRECTORIES = COMPONENTS + ("tests", "bench", "fuzz", "examples", "docs", "cmake", "packaging", ".ci")
TEXT_SUFFIXES = {".h", ".cpp", ".py", ".sh", ".cmake", ".txt", ".md", ".json", ".in", ".1", ""}
CODE_DIRECTORIES = COMPONENTS + ("tests", "bench", "fuzz", "examples")

STANDARD_HEADERS = frozenset("""
algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono cinttypes climits
clocale cmath compare complex concepts condition_variable coroutine csetjmp csignal cstdarg cstddef cstdint cstdio
cstdlib cstring ctime cuchar cwchar cwctype deque exception execution filesystem forward_list fstream functional
future initializer_list iomanip ios iosfwd iostream istream iterator latch limits list locale map memory
memory_resource mutex new numbers numeric optional ostream queue random ranges ratio regex scoped_allocator
semaphore set shared_mutex span sstream stack stdexcept stop_token streambuf string string_view system_error thread
tuple type_traits typeindex typeinfo unordered_map unordered_set utility valarray variant vector version
""".split())
# Core has no files, no clock, no random source and no environment that it was not given.
NOT_IN_CORE = frozenset("filesystem fstream iostream random regex csignal cstdio locale clocale".split())
POSIX_HEADER = re.compile(r"^(sys/|linux/|net/|netinet/|arpa/)|^(dirent|errno|fcntl|poll|pthread|signal|spawn|termios|unistd)\.h$")
FS_STORE_THIRD_PARTY = re.compile(r"^(simdjson\.h|rapidjson/.*|isa-l\.h|isa-l/.*)$")
CLI_THIRD_PARTY = re.compile(r"^(CLI/|re2/|zlib\.h$)")


class Violation(NamedTuple):
    path: str
    line: int
    rule: str
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: [{self.rule}] {self.message}"


class Ban(NamedTuple):
    rule: str
    pattern: re.Pattern
    message: str
    allowed: re.Pattern  # files in which it may stand


def calls(names):
    """Calls of free functions: `fsync(fd)`, `::fsync(fd)`; not `file.fsync()`, not `Result<void> fsync(...)`."""
    alternatives = "|".join(names.split())
    return re.compile(r"(?:^|[;{}(!=,?:&|]|\breturn\b) ?(?<!\w)(?:::)? ?(" + alternatives + r") ?\(", re.M)


def global_calls(names):
    """`::open(...)`: for names that are good names of members too."""
    return re.compile(r"(?<![\w>])::(" + "|".join(names.split()) + r") ?\(")


POSIX_FILES = re.compile(r"^((?:fs_store|cli)/posix_\w+\.(?:cpp|h)|tests/.*)$")
FILE_SYSTEM_ADVICE = "goes through fs_store/file_system.h, whose POSIX form is fs_store/posix_*.cpp"
NOWHERE = re.compile(r"^(?!)")
TESTS_ONLY = re.compile(r"^(tests|bench|fuzz|examples)/")

BANS = (
    Ban("posix-file-call", calls("""fsync fdatasync syncfs sync_file_range openat openat2 renameat renameat2 unlinkat
        mkdirat linkat symlinkat ftruncate fallocate posix_fallocate pread preadv pwrite pwritev writev readv fstatat
        fstatfs flock fopen fdopen opendir fdopendir readdir mkstemp"""), FILE_SYSTEM_ADVICE, POSIX_FILES),
    Ban("posix-file-call", global_calls("""open creat close read write rename unlink rmdir mkdir link symlink truncate
        stat lstat fstat statfs fcntl lseek mmap chmod fchmod dup"""), FILE_SYSTEM_ADVICE, POSIX_FILES),
    Ban("posix-file-call", re.compile(r"\bstd::(?:o|i)?fstream\b|\bstd::(?:rename|remove|tmpfile)\s*\((?!\s*\w+\.begin)"
        r"|\bfilesystem::(rename|remove|remove_all|create_director\w+|resize_file|copy\w*|permissions)\s*\("),
        FILE_SYSTEM_ADVICE, re.compile(r"^((fs_store|cli)/posix_\w+\.cpp|(tests|bench|examples|fuzz)/.*)$")),
    Ban("sleep", re.compile(r"\b(?:sleep_for|sleep_until)\s*\("),
        "wait on a condition variable with a stop token, so that it can end early", TESTS_ONLY),
    Ban("sleep", calls("sleep usleep nanosleep"),
        "wait on a condition variable with a stop token, so that it can end early", TESTS_ONLY),
    Ban("random", re.compile(r"\brandom_device\b"),
        "core is given its randomness", re.compile(r"^(?!core/)")),
    Ban("random", re.compile(r"\bstd::s?rand\b"),
        "take the source of randomness from the caller, or seed one that prints its seed", NOWHERE),
    Ban("random", calls("rand srand drand48 getrandom getentropy"),
        "take the source of randomness from the caller, or seed one that prints its seed", POSIX_FILES),
    Ban("shell", re.compile(r"\bstd::system\s*\("), "no shell: it parses what others wrote", NOWHERE),
    Ban("shell", calls("system popen"), "no shell: it parses what others wrote", NOWHERE),
    Ban("clock", re.compile(r"\bsystem_clock::now\b"), "use the Clock that was given (core/clock.cpp makes it)",
        re.compile(r"^(core/clock\.cpp|(tests|bench|examples)/.*)$")),
    Ban("clock", calls("time gettimeofday clock_gettime localtime gmtime ctime"),
        "use the Clock that was given (core/clock.cpp makes it)", re.compile(r"^core/clock\.cpp$")),
    Ban("using-namespace", re.compile(r"\busing\s+namespace\b"), "name what you use", NOWHERE),
    Ban("function-macro", re.compile(r"^[ \t]*#[ \t]*define[ \t]+\w+\(", re.M), "write a function", NOWHERE),
    Ban("detach", re.compile(r"\.detach\(\)"), "join it: a std::jthread does", NOWHERE),
)

# Put together, so that this file passes its own checks.
LEFTOVER_WORDS = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX")) + r")\b")
MACHINE_PATH = re.compile(r"(?<![\w.$}>/-])/(?:work|root)/")
CODE_IN_COMMENT = re.compile(
    r"^\s*//(?!/)\s*(?:"
    r"#\s*(?:include|define|if|endif)\b.*"
    r"|(?:if|for|while|switch)\s*\(.*\)\s*\{?"
    r"|(?:return|break|continue|delete|throw)\b[^.]*;"
    r"|[\w:<>,*&\s]*[\w\])>]\s*(?:=|\+=|-=)\s*[^=].*;"
    r"|(?:[\w:]+(?:\.|->))*[\w:]+\([^)]*\);"
    r"|[}{]\s*"
    r")$")
ALLOW = re.compile(r"tidy-allow\(([\w-]+)\): \S")
ALLOW_FILE = re.compile(r"tidy-allow-file\(([\w-]+)\): \S")

TOKENS = re.compile(
    r"""(?P<raw>\b(?:u8|[uUL])?R"(?P<d>[^()\\\s]{0,16})\(.*?\)(?P=d)")"""
    r"""|(?P<number>\b\d(?:[\w.]|'(?=\w))*)"""
    r"""|(?P<string>"(?:\\.|[^"\\\n])*")"""
    r"""|(?P<char>'(?:\\.|[^'\\\n])+')"""
    r"""|(?P<comment>//(?:\\\n|[^\n])*|/\*.*?\*/)""", re.S)


def blank(text):
    return re.sub(r"[^\n]", " ", text)


def code_only(text):
    """The text with comments blanked and literals emptied; every line and column stays where it was."""
    def replace(match):
        if match.group("number"):
            return match.group().replace("'", "_")
        if match.group("comment"):
            return blank(match.group())
        whole = match.group()
        return whole[0] + blank(whole[1:-1]) + whole[-1] if len(whole) > 1 else whole
    return TOKENS.sub(replace, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def functions(code):
    """Yields (first line, last line, head) of each function definition, in code_only() text."""
    code = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", lambda m: blank(m.group()), code, flags=re.M)
    scopes = []  # of each open brace: "declarations", "function", "nested", "skipped" or "initializer"
    head_start = 0
    function_start = 0
    function_head = ""
    for match in re.finditer(r"[{};]", code):
        position, what = match.start(), match.group()
        inside = scopes[-1] if scopes else "declarations"
        if what == ";":
            if inside == "declarations":
                head_start = position + 1
        elif what == "{":
            if inside != "declarations":
                scopes.append("nested")
                continue
            head = code[head_start:position]
            kind = scope_kind(head)
            scopes.append(kind)
            if kind == "function":
                function_start = head_start + len(head) - len(head.lstrip())
                function_head = " ".join(head.split())
            elif kind == "declarations":
                head_start = position + 1
        elif scopes:
            kind = scopes.pop()
            if kind == "function":
                yield line_of(code, function_start), line_of(code, position), function_head
            if kind in ("function", "declarations", "skipped"):
                head_start = position + 1
            # After an initializer the head of the constructor goes on.


def scope_kind(head):
    """What a brace opens that stands among declarations behind `head`."""
    head = re.sub(r"\b(public|private|protected)\s*:(?!:)", " ", head)
    head = re.sub(r"\[\[.*?\]\]", " ", head, flags=re.S).strip()
    if re.match(r"^(inline\s+)?namespace\b|^extern\s*\"", head):
        return "declarations"
    if re.match(r"^(typedef\s+)?enum\b", head):
        return "skipped"
    if re.search(r"(^|>|\s)(class|struct|union)\s+[\w:]+(\s*<.*>)?(\s+final)?\s*(:[^:].*)?$", head, re.S) and \
            "(" not in re.sub(r"\b(decltype|alignas|visibility)\s*\([^)]*\)", "", head):
        return "declarations"
    if re.match(r"^(class|struct|union)\b", head) and "(" not in head:
        return "declarations"
    if "(" not in head or re.search(r"=\s*$", head):
        return "skipped"
    # `Name(...) : member_{` and `..., member_{`: an initializer, unless the list is complete.
    if re.search(r"\)[^;{]*?(?<!:):(?!:)", head, re.S) and re.search(r"[\w>]\s*$", head) and \
            not re.search(r"\b(const|noexcept|override|final)\s*$", head):
        return "initializer"
    if re.search(r"^[^(]*=\s*[\w:<>]+\s*$", head):
        return "skipped"
    return "function"


# Every rule takes (path, text, code) of one file and yields (line, rule, message).

def check_sizes(path, text, code):
    if not path.startswith(tuple(c + "/" for c in COMPONENTS)):
        return
    lines = text.count("\n")
    if lines > FILE_LINES_MAX:
        yield lines, "file-size", f"{lines} lines, at most {FILE_LINES_MAX}: there are two mechanisms in it"
    for first, last, head in functions(code):
        length = last - first + 1
        if length > FUNCTION_LINES_MAX:
            yield first, "function-size", f"{length} lines, at most {FUNCTION_LINES_MAX}: {head[:60]}"


def check_includes(path, text, code):
    component = path.split("/")[0]
    if component not in COMPONENTS:
        return
    public = "/include/" in path
    for match in re.finditer(r"^[ \t]*#[ \t]*include[ \t]*([<\"])([^>\"]+)[>\"]", text, re.M):
        quote, name = match.groups()
        message = include_violation(component, public, path, quote, name)
        if message:
            yield line_of(text, match.start()), "include-direction", f"{name}: {message}"


def include_violation(component, public, path, quote, name):
    if name.startswith("worker_runtime/"):
        needs = "fs_store" if name.startswith("worker_runtime/fs_store/") else "core"
        if quote != '"':
            return "headers of this project stand in quotes"
        if COMPONENTS.index(needs) > COMPONENTS.index(component):
            return f"{component} knows nothing of {needs} (cli -> fs_store -> core)"
        return None
    if quote == '"':
        if public:
            return "a public header includes public headers only"
        return "a private header is named without a directory" if "/" in name or ".." in name else None
    if name in STANDARD_HEADERS:
        if component == "core" and name in NOT_IN_CORE:
            return "core is given its clock, its randomness and its store; it opens nothing itself"
        return None
    if component == "core":
        return "core includes the standard library alone"
    if public:
        return "a public header includes the standard library and public headers only"
    if component == "fs_store" and FS_STORE_THIRD_PARTY.match(name):
        return None
    if component == "cli" and CLI_THIRD_PARTY.match(name):
        return None
    if POSIX_HEADER.match(name) and (component == "cli" or POSIX_FILES.match(path)):
        return None
    return f"not for {component}; POSIX stands in fs_store/posix_*.cpp"


def check_bans(path, text, code):
    if not path.startswith(tuple(c + "/" for c in CODE_DIRECTORIES)):
        return
    code = re.sub(r" +", " ", code)
    for ban in BANS:
        if ban.allowed.match(path):
            continue
        for match in ban.pattern.finditer(code):
            name = next((g for g in match.groups() if g), match.group().strip())
            end = match.end()
            yield line_of(code, end - 1), ban.rule, f"{name}: {ban.message}"


def check_leftovers(path, text, code):
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip() and not path.endswith(".md"):
            yield number, "white-space", "trailing white space"
        if word := LEFTOVER_WORDS.search(line):
            yield number, "leftover", f"{word.group()}: do it, or say why it stays"
        if MACHINE_PATH.search(line):
            yield number, "machine-path", "a path of one machine"
        if path.endswith((".h", ".cpp")) and CODE_IN_COMMENT.match(line):
            yield number, "commented-code", "delete it: git remembers"
    if text and not text.endswith("\n"):
        yield text.count("\n") + 1, "white-space", "no newline at the end"
    if "\r" in text or ("\t" in text and path.endswith((".h", ".cpp", ".py"))):
        yield 1, "white-space", "tabs or carriage returns"


FILE_RULES = (check_sizes, check_includes, check_bans, check_leftovers)


def allowed(violation_line, rule, lines):
    nearby = lines[max(0, violation_line - 2):violation_line]
    return any(m.group(1) == rule for line in nearby for m in ALLOW.finditer(line))


def check_text(path, text):
    """All violations of one file, those with a reason left out."""
    is_code = path.endswith((".h", ".cpp"))
    code = code_only(text) if is_code else ""
    lines = text.split("\n")
    whole_file = {m.group(1) for m in ALLOW_FILE.finditer(text)}
    for rule_function in FILE_RULES:
        if not is_code and rule_function is not check_leftovers:
            continue
        for line, rule, message in rule_function(path, text, code):
            if rule not in whole_file and not allowed(line, rule, lines):
                yield Violation(path, line, rule, message)


def public_headers(root, component):
    return sorted((root / component / "include").rglob("*.h"))


def check_public_headers(root, compiler):
    headers = public_headers(root, "core")
    if len(headers) > CORE_PUBLIC_HEADERS_MAX:
        yield Violation("core/include", 0, "public-headers",
                        f"{len(headers)} public headers, at most {CORE_PUBLIC_HEADERS_MAX}")
    if not compiler:
        return
    roots = ["-I" + str(root / c / "include") for c in ("core", "fs_store")]

    def compile_alone(header):
        include = header.relative_to(root).as_posix().split("/include/")[1]
        done = subprocess.run(
            [compiler, "-std=c++20", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", *roots, "-x", "c++", "-"],
            input=f'#include "{include}"\n#include "{include}"\n', text=True, capture_output=True)
        return header, done

    everything = headers + public_headers(root, "fs_store")
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        for header, done in pool.map(compile_alone, everything):
            if done.returncode != 0:
                first = next((l for l in done.stderr.splitlines() if "error" in l), done.stderr)
                yield Violation(header.relative_to(root).as_posix(), 1, "self-contained", first)


def text_files(root, under):
    tops = [under] if under else list(TEXT_DIRECTORIES)
    for top in tops:
        for path in sorted((root / top).rglob("*")):
            if path.is_file() and path.suffix in TEXT_SUFFIXES and "__pycache__" not in path.parts \
                    and "corpus" not in path.parts:
                yield path
    if not under:
        yield from (p for p in sorted(root.iterdir()) if p.is_file() and (p.suffix in TEXT_SUFFIXES))


def check_tree(root, compiler=None, only=None, under=None):
    found = []
    for path in text_files(root, under):
        try:
            text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            continue  # Stored bytes of a test.
        found += check_text(path.relative_to(root).as_posix(), text)
    if not under:
        found += check_public_headers(root, compiler)
    return [v for v in found if only is None or v.rule == only]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("--compiler", help="also compile every public header alone with it")
    parser.add_argument("--only", help="one rule")
    parser.add_argument("--under", help="one directory")
    arguments = parser.parse_args()
    found = check_tree(arguments.root.resolve(), arguments.compiler, arguments.only, arguments.under)
    for violation in found:
        print(violation)
    if found:
        print(f"tidy: {len(found)} to mend", file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
