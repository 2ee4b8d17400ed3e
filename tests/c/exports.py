#!/usr/bin/env python3
"""The shared library exports what its header declares and its list of symbols names, and nothing else."""
import argparse
import re
import subprocess


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library")
    parser.add_argument("header")
    parser.add_argument("symbols")
    parser.add_argument("--nm", default="nm")
    arguments = parser.parse_args()
    listing = subprocess.run([arguments.nm, "-D", "--defined-only", arguments.library], check=True,
                             capture_output=True, text=True).stdout
    # A sanitizer or coverage adds its own, of no version.
    exported = {line.split()[2] for line in listing.splitlines() if "@@" in line and line.split()[1] != "A"}
    header = re.sub(r"/\*.*?\*/", "", open(arguments.header).read(), flags=re.S)
    declared = set(re.findall(r"\b(worker_runtime_\w+)\s*\(", header)) - {"worker_runtime_done"}
    listed = re.findall(r"^\s+(worker_runtime_\w+);", open(arguments.symbols).read(), flags=re.M)
    assert declared and declared == set(listed), f"header and list differ: {declared ^ set(listed)}"
    version = re.search(r"^(\w+) \{", open(arguments.symbols).read(), flags=re.M).group(1)
    expected = {f"{name}@@{version}" for name in listed}
    assert exported == expected, f"library and list differ: {exported ^ expected}"


main()
