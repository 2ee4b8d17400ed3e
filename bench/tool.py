"""What search, verify and backup of the command-line tool cost over a large store, beside programs that read or copy
the same files and understand nothing of them."""
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import time

WORKERS = 100
RARE = "zymurgy"  # what is searched for: in one entry of a hundred thousand, or so


def make_store(tool, root, size):
    """A store whose transcripts come to `size` bytes, closed."""
    chance = random.Random(1)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 9))) for _ in range(2000)]
    texts = [" ".join(chance.choices(words, k=600)) for _ in range(200)]
    with subprocess.Popen([tool, "--root", root, "pipe", "--durability", "none"], stdin=subprocess.PIPE,
                          stdout=subprocess.DEVNULL, text=True) as pipe:
        for worker in range(WORKERS):
            pipe.stdin.write(json.dumps({"id": 0, "op": "create_worker", "worker_id": f"w{worker}",
                                         "intent": {"kind": "task", "objective": "grow"}}) + "\n")
        written, number = 0, 0
        while written < size:
            text = texts[number % len(texts)] + (f" {RARE}" if number % 100000 == 0 else "")
            pipe.stdin.write(json.dumps({"id": number, "op": "send_input", "worker_id": f"w{number % WORKERS}",
                                         "kind": "user", "content": text}) + "\n")
            written, number = written + len(text), number + 1
        pipe.stdin.close()
    if pipe.returncode != 0:
        sys.exit(f"pipe: exit {pipe.returncode}")


def timed(command, directory):
    """Seconds and MiB of memory at most. Output goes to a file: grep looks for one hit only where nobody reads."""
    with open(directory / "output", "w") as output:
        begun = time.monotonic()
        process = subprocess.Popen(command, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        taken = time.monotonic() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command}: exit {process.returncode}")
    return taken, usage.ru_maxrss / 1024


def measure(tool, directory, size, turns):
    """Rows of [what, seconds, MiB, other program, its seconds]; medians, everybody in turns, all warm."""
    root, copy, other = directory / "store", directory / "copy", directory / "other"
    make_store(tool, root, size)
    store = [tool, "--root", root]
    pairs = [
        (f"`search {RARE}`", [*store, "search", RARE], "`grep -r`",
         ["grep", "-r", "-F", RARE, root / "runtimes/main/workers"]),
        ("`verify`", [*store, "verify"], "`sha256sum`",
         ["find", root / "runtimes/main", "-type", "f", "-exec", "sha256sum", "{}", "+"]),
        ("`backup`", [*store, "backup", copy], "`cp -r` and `sync -f`",
         ["sh", "-c", 'cp -r "$1" "$2" && sync -f "$2"', "sh", root, other]),
        ("`backup`, once more", [*store, "backup", copy], "", None),
    ]
    ours = {name: [] for name, *_ in pairs}
    theirs = {name: [] for name, *_ in pairs}
    for _ in range(turns):
        for name, command, _, rival in pairs:
            if name == "`backup`":
                shutil.rmtree(copy, ignore_errors=True)
                shutil.rmtree(other, ignore_errors=True)
                os.sync()
            ours[name].append(timed(command, directory))
            if rival:
                theirs[name].append(timed(rival, directory)[0])
    return [[name, statistics.median(taken for taken, _ in ours[name]), max(peak for _, peak in ours[name]), rival,
             statistics.median(theirs[name]) if theirs[name] else None] for name, _, rival, _ in pairs]


if __name__ == "__main__":
    place = pathlib.Path(sys.argv[2])
    for row in measure(sys.argv[1], place, int(sys.argv[3]), 3):
        print(row)
