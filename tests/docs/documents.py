#!/usr/bin/env python3
"""The documents for users say what is true. Usage: documents.py ROOT CHECK [--cli PATH]; documents.py --self-test

Checks, each a test of its own:
  snippets  every block of C and C++ in the documents is the marked region of an example, which is built
            and run as a test; the line above it names the region: <!-- examples/FILE [region] -->
  tables    the tables of error codes, limits and options in docs/GUIDE.md are those of the headers
  links     every relative link leads to a file, and to a heading where it names one
  console   what the console blocks of the documents show is what the commands print; times and checksums may
            differ, and a line of `…` stands for lines that are left out. The blocks of one document are one
            session. Commands that compile find what is installed from --build; without it the block is left out
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap
from typing import NamedTuple

DOCUMENTS = ("README.md", "docs/GUIDE.md", "docs/CLI.md", "docs/TERMINAL.md", "docs/C.md")
ELLIPSIS = "…"


class Block(NamedTuple):
    language: str
    text: str
    above: str  # the nearest line above the block that is not blank
    line: int


def blocks(text):
    """The fenced blocks of a Markdown text."""
    found, above, start, language = [], "", None, ""
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if line.startswith("```"):
            if start is None:
                start, language = number, line[3:].strip()
            else:
                found.append(Block(language, "\n".join(lines[start:number - 1]) + "\n", above, start))
                start, above = None, ""
        elif start is None and line.strip():
            above = line
    return found


def regions(text):
    """The regions of an example by name: what stands between `// [name]` and `// [/name]`, not indented."""
    found = {}
    for match in re.finditer(r"^ *// \[(\w+)\]\n(.*?)^ *// \[/\1\]$", text, re.M | re.S):
        found[match.group(1)] = textwrap.dedent(match.group(2))
    return found


# ---- snippets

def snippet_problems(documents, examples):
    """`documents` and `examples`: text by path."""
    quoted = set()
    for path, text in documents.items():
        for block in blocks(text):
            if block.language not in ("c", "cpp"):
                continue
            named = re.fullmatch(r"<!-- (\S+\.c(?:pp)?) \[(\w+)\] -->", block.above)
            if not named:
                yield f"{path}:{block.line}: no example is named above this block"
                continue
            source, name = named.groups()
            quoted.add((source, name))
            region = regions(examples.get(source, "")).get(name)
            if region is None:
                yield f"{path}:{block.line}: {source} has no region [{name}]"
            elif region != block.text:
                yield f"{path}:{block.line}: not what stands in {source} [{name}]"
    for source, text in examples.items():
        for name in regions(text):
            if (source, name) not in quoted:
                yield f"{source}: no document quotes the region [{name}]"


# ---- tables

def section(text, heading):
    """The text from a heading to the next one of the same or a higher level."""
    match = re.search(rf"^(#+) {re.escape(heading)}$", text, re.M)
    if not match:
        return ""
    end = re.compile(rf"^#{{1,{len(match.group(1))}}} ", re.M).search(text, match.end())
    return text[match.end():end.start() if end else len(text)]


def first_cells(text):
    """The names in backquotes with which the rows of tables begin; a row may name several."""
    rows = re.findall(r"^\| *(`[^|]*?) *\|", text, re.M)
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


def members(header, head):
    """The data members of the struct or the enumerators of the enum whose definition begins with `head`."""
    body = re.search(re.escape(head) + r"[^{;]*\{(.*?)^\};", header, re.M | re.S).group(1)
    body = re.sub(r"//.*", "", body)
    if head.startswith("enum"):
        return re.findall(r"\w+", body)
    return re.findall(r"^ {2}[\w:<>]+ (\w+)(?: = [^;]+|\{[^;]*\})?;", body, re.M)


def table_problems(guide, headers):
    """`headers`: text of the public headers by their last name."""
    for heading, header, head in (("Errors", "result.h", "enum class ErrorCode"),
                                  ("Limits", "options.h", "struct Limits"),
                                  ("Options", "fs_store.h", "struct StoreOptions")):
        expected = members(headers[header], head)
        found = first_cells(section(guide, heading))
        for name in expected:
            if found.count(name) != 1:
                yield f"docs/GUIDE.md, {heading}: {name} has {found.count(name)} rows"
        for name in found:
            if name not in expected:
                yield f"docs/GUIDE.md, {heading}: {header} has no {name}"


# ---- links

def anchors(text):
    """The names of the headings as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def link_problems(root):
    for document in sorted([*root.glob("*.md"), *root.glob("docs/*.md")]):
        text = re.sub(r"^```.*?^```", "", document.read_text("utf-8"), flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            other = document.parent / path if path else document
            name = document.relative_to(root)
            if not other.exists():
                yield f"{name}: {target} leads nowhere"
            elif anchor and anchor not in anchors(other.read_text("utf-8")):
                yield f"{name}: {target} names no heading"


# ---- console blocks

def sessions(text):
    """The commands of a console block, each with its output. A command goes on behind a line that ends in \\ or |."""
    commands = []
    lines = text.splitlines()
    while lines:
        line = lines.pop(0)
        if line.startswith("$ "):
            command = line[2:]
            while command.endswith(("\\", "|")):
                command += "\n" + lines.pop(0)
            commands.append((command, []))
        elif commands:
            commands[-1][1].append(line)
    return commands


def without_what_differs(line):
    line = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", "TIME", line)
    return re.sub(r'"crc":"[0-9a-f]{8}"', '"crc":"CRC"', line)


def matches(shown, printed):
    """Whether the printed lines are the ones shown."""
    if not shown:
        return not printed
    if shown[0] == ELLIPSIS:
        return any(matches(shown[1:], printed[at:]) for at in range(len(printed) + 1))
    return bool(printed) and without_what_differs(shown[0]) == without_what_differs(printed[0]) and \
        matches(shown[1:], printed[1:])


def installed(build, prefix):
    """What a program that is compiled against an installation needs to know."""
    subprocess.run(["cmake", "--install", build, "--prefix", prefix], check=True, stdout=subprocess.DEVNULL)
    libraries = next(prefix.glob("**/libworker_runtime_core.so")).parent
    return {"PKG_CONFIG_PATH": f"{libraries}/pkgconfig", "LD_LIBRARY_PATH": str(libraries)}


def console_problems(path, text, cli, root=None, build=None):
    with tempfile.TemporaryDirectory() as directory:
        place = pathlib.Path(directory)
        (place / "bin").mkdir()
        (place / "bin/worker-runtime").symlink_to(cli)
        (place / "here").mkdir()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("WORKER_RUNTIME_")}
        environment |= {"PATH": f"{place}/bin:{os.environ['PATH']}", "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}
        if root:
            (place / "here/examples").symlink_to(root / "examples")
        for block in blocks(text):
            if block.language != "console":
                continue
            if "pkg-config" in block.text:
                if not build:
                    print(f"{path}:{block.line}: left out, there is nothing to compile it against")
                    continue
                environment |= installed(build, place / "installed")
            for command, shown in sessions(block.text):
                done = subprocess.run(["bash", "-c", command], cwd=place / "here", env=environment, text=True,
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                      timeout=60)
                if not matches(shown, done.stdout.splitlines()):
                    yield f"{path}:{block.line}: `{command}` prints\n{done.stdout}"


# ---- the checks can fail

def self_test():
    example = "int main() {\n  // [a]\n  int x = 1;\n    x++;\n  // [/a]\n}\n"
    block = "<!-- examples/e.cpp [a] -->\n```cpp\nint x = 1;\n  x++;\n```\n"

    def snippets(text):
        return list(snippet_problems({"README.md": text}, {"examples/e.cpp": example}))
    assert not snippets(block)
    assert "not what stands" in snippets(block.replace("1", "2"))[0]
    assert "no region" in snippets(block.replace("[a]", "[b]"))[0]
    assert "is named" in snippets(block.replace("<!--", ""))[0]
    assert "no document quotes" in snippets("")[0]

    assert members("enum class E : int {\n  one,  // 1\n  two,\n};\n", "enum class E") == ["one", "two"]
    assert members("struct S {\n  int a = 1'000;\n  /// b.\n  std::optional<X> b;\n  ms c{1};\n"
                   "  bool operator==(const S&) const = default;\n};\n", "struct S") == ["a", "b", "c"]
    assert first_cells("| code | x |\n|---|---|\n| `a`, `b` | `c` |\n") == ["a", "b"]
    assert section("# A\n## B\nb\n### C\nc\n## D\n", "B") == "\nb\n### C\nc\n"

    assert anchors("# A b: `c_d`\n```\n# not\n```\n") == {"a-b-c_d"}
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        (root / "a.md").write_text("# A\n[x](a.md#a) [y](b.md) [z](#nothing) [w](https://example.org)\n")
        assert [p.split(": ")[1] for p in link_problems(root)] == ["b.md leads nowhere", "#nothing names no heading"]

    def console(text):
        return list(console_problems("README.md", f"```console\n{text}\n```\n", "/bin/echo"))
    assert not console("$ worker-runtime a b\na b")
    assert not console("$ seq 3 |\n  tail -n 2\n2\n3\n$ seq 9\n1\n…\n8\n9")
    assert console("$ worker-runtime a b\na c")
    assert console("$ seq 3\n1\n2") and console("$ seq 2\n1\n2\n3") and console("$ seq 3\n2\n…")
    assert not console("$ echo 2026-11-24T10:00:00.000001Z\n2027-11-24T10:00:00.000001Z")


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("check", choices=("snippets", "tables", "links", "console"))
    parser.add_argument("--cli", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--build", type=lambda path: pathlib.Path(path).resolve())
    arguments = parser.parse_args()
    root = arguments.root.resolve()
    documents = {path: (root / path).read_text("utf-8") for path in DOCUMENTS}
    if arguments.check == "snippets":
        examples = {f"examples/{p.name}": p.read_text("utf-8") for p in sorted(root.glob("examples/*.c*"))}
        problems = list(snippet_problems(documents, examples))
    elif arguments.check == "tables":
        headers = {p.name: p.read_text("utf-8") for p in root.glob("*/include/worker_runtime/**/*.h")}
        problems = list(table_problems(documents["docs/GUIDE.md"], headers))
    elif arguments.check == "links":
        problems = list(link_problems(root))
    else:
        problems = [p for path, text in documents.items()
                    for p in console_problems(path, text, arguments.cli, root, arguments.build)]
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
