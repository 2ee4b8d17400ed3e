#!/usr/bin/env python3
"""Completion in the shells themselves, and the manual pages. Usage: shells_test.py TOOL SHARE [TEST]...

TOOL is the program, SHARE the directory of files that its build wrote.
"""
import os
import pathlib
import pty
import re
import select
import subprocess
import sys
import tempfile
import time
import unittest

TOOL, SHARE = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
SCRIPTS = {
    "bash": SHARE / "bash-completion/completions/worker-runtime",
    "zsh": SHARE / "zsh/site-functions/_worker-runtime",
    "fish": SHARE / "fish/vendor_completions.d/worker-runtime.fish",
}


class Terminal:
    """A shell at a terminal: what is typed, and what can be seen."""

    def __init__(self, command, environment):
        self.seen = ""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, environment)

    def type(self, text):
        os.write(self.terminal, text.encode())

    def wait_for(self, text):
        """Text on the screen, without what moves the cursor; a failure after a long time."""
        deadline = time.monotonic() + 30
        while text not in self.seen:
            ready, _, _ = select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise AssertionError(f"{text!r} is not seen in {self.seen!r}")
            self.seen += os.read(self.terminal, 4096).decode(errors="replace")
            self.seen = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r", "", self.seen)

    def close(self):
        os.close(self.terminal)
        if self.pid is not None:
            os.waitpid(self.pid, 0)


class ShellsTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        home = pathlib.Path(self.directory.name)
        (home / "bin").mkdir()
        (home / "bin/worker-runtime").symlink_to(TOOL)
        (home / "backups-of-today").mkdir()
        (home / "letter.jsonl").touch()
        self.environment = {
            "PATH": f"{home}/bin:{os.environ['PATH']}", "HOME": str(home), "TERM": "xterm", "LC_ALL": "C.UTF-8",
            "WORKER_RUNTIME_ROOT": str(home / "store")}
        for worker in ("mail-reader", "with a space"):
            subprocess.run([TOOL, "create", "--id", worker, "--assistant"], env=self.environment, check=True,
                           capture_output=True, timeout=60)
        os.chdir(home)
        self.addCleanup(os.chdir, "/")

    def complete_at_terminal(self, command, prepare):
        terminal = Terminal(command, self.environment)
        self.addCleanup(terminal.close)
        terminal.type(f"PS1='ready> '; {prepare}; echo pre''pared\n")
        terminal.wait_for("prepared\n")
        # Control-U takes the line away again.
        for typed, shown in (("worker-runtime trans\t", "worker-runtime transcript"),
                             ("worker-runtime show mail\t", "show mail-reader"),
                             ("worker-runtime show with\t", r"show with\ a\ space"),
                             ("worker-runtime list --stat\t", "list --status"),
                             ("worker-runtime list --status canc\t", "--status cancelled"),
                             ("worker-runtime backup back\t", "backup backups-of-today/"),
                             ("worker-runtime import let\t", "import letter.jsonl")):
            terminal.seen = ""
            terminal.type(typed)
            terminal.wait_for(shown)
            terminal.type("\x15")

    def test_bash(self):
        self.complete_at_terminal(["bash", "--norc", "--noprofile", "-i"], f"source {SCRIPTS['bash']}")

    def test_zsh_from_its_directory_of_functions(self):
        self.complete_at_terminal(["zsh", "-f", "-i"],
                                  f"fpath=({SCRIPTS['zsh'].parent} $fpath); autoload -U compinit; compinit -u -D")

    def test_zsh_sourced(self):
        self.complete_at_terminal(["zsh", "-f", "-i"],
                                  "autoload -U compinit; compinit -u -D; source <(worker-runtime completion zsh)")

    def test_fish(self):
        def candidates(line):
            script = f"source {SCRIPTS['fish']}; complete -C '{line}'"
            done = subprocess.run(["fish", "--no-config", "-c", script], env=self.environment, capture_output=True,
                                  text=True, check=True, timeout=60)
            return [candidate.split("\t")[0] for candidate in done.stdout.splitlines()]
        self.assertEqual(candidates("worker-runtime trans"), ["transcript"])
        self.assertIn("send", candidates("worker-runtime "))
        self.assertEqual(candidates("worker-runtime show mail"), ["mail-reader"])
        self.assertEqual(candidates("worker-runtime show with"), ["with a space"])
        self.assertEqual(candidates("worker-runtime list --status canc"), ["cancelled"])
        self.assertEqual(candidates("worker-runtime backup back"), ["backups-of-today/"])
        self.assertEqual(candidates("worker-runtime import let"), ["letter.jsonl"])


class ScreenTest(unittest.TestCase):
    """What people see at a terminal."""

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.environment = {"PATH": os.environ["PATH"], "TERM": "xterm", "LC_ALL": "C.UTF-8",
                            "WORKER_RUNTIME_ROOT": self.directory.name + "/store"}
        self.run_tool("create", "--id", "a", "--assistant")

    def run_tool(self, *arguments):
        return subprocess.run([TOOL, *arguments], env=self.environment, check=True, capture_output=True, timeout=60)

    def at_terminal(self, *arguments, **environment):
        terminal = Terminal([str(TOOL), *arguments], {**self.environment, **environment})
        self.addCleanup(terminal.close)
        return terminal

    def test_long_output_goes_through_the_pager(self):
        terminal = self.at_terminal("events", PAGER="sed s/^/paged:/")
        terminal.wait_for("paged:2 ")
        self.at_terminal("list", PAGER="sed s/^/paged:/").wait_for("paged:a ")
        self.at_terminal("list", PAGER="").wait_for("\na ")
        self.at_terminal("list", PAGER="exit 1")  # it ends all the same
        plain = self.at_terminal("events", "--json", PAGER="sed s/^/paged:/")
        plain.wait_for('"id":2')
        self.assertNotIn("paged", plain.seen)

    def test_times_are_how_long_ago(self):
        self.at_terminal("show", "a", PAGER="").wait_for(" s ago")
        self.at_terminal("show", "a", "--utc", PAGER="").wait_for("created      20")
        self.assertIn(b"created      20", self.run_tool("show", "a").stdout)

    def test_status_is_renewed(self):
        terminal = self.at_terminal("status", "--watch")
        terminal.wait_for("worker_created")
        self.run_tool("send", "a", "hello")
        terminal.wait_for("worker_input_accepted")
        terminal.wait_for("events a second")
        terminal.type("\x03")
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(terminal.pid, 0)[1]), 0)
        terminal.pid = None


class ManualTest(unittest.TestCase):
    def test_every_command_has_a_page_that_shows(self):
        listed = subprocess.run([TOOL, "__complete", ""], capture_output=True, text=True, check=True, timeout=60)
        commands = [line.split("\t")[0] for line in listed.stdout.splitlines()[1:]]
        self.assertGreater(len(commands), 20)
        pages = SHARE / "man/man1"
        self.assertEqual(sorted(path.name for path in pages.iterdir()),
                         sorted(f"worker-runtime-{command}.1" for command in commands))
        for command in commands:
            with self.subTest(command):
                page = pages / f"worker-runtime-{command}.1"
                lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True,
                                      timeout=60)
                # The pages have no date: the same source makes the same bytes.
                found = [line for line in lint.stdout.splitlines() if "missing date" not in line]
                self.assertEqual(found, [])
                shown = subprocess.run(["mandoc", "-T", "utf8", page], capture_output=True, text=True, check=True,
                                       timeout=60)
                text = re.sub(".\b", "", shown.stdout)  # bold is struck over
                help_text = subprocess.run([TOOL, command, "--help"], capture_output=True, text=True, check=True,
                                           timeout=60).stdout
                for option in re.findall(r"^  (--[a-z-]+)", help_text, re.M):
                    self.assertIn(option, text)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
