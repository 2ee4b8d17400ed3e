#!/usr/bin/env python3
"""Compares what a shared library exports with the committed list of it: exported_symbols.py LIBRARY LIST.

A line that goes, or changes, breaks programs that were built before; a new one is a promise. --write makes the list.
Weak symbols are left out: what the compiler makes of inline functions is its own affair.
"""
import argparse
import subprocess
import sys


def exported(nm, library):
    listing = subprocess.run([nm, "--dynamic", "--defined-only", "--demangle", library], check=True,
                             capture_output=True, text=True).stdout
    for line in listing.splitlines():
        _, kind, name = line.split(maxsplit=2)
        if kind in "TDBR":
            yield name


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library")
    parser.add_argument("list")
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    found = sorted(set(exported(arguments.nm, arguments.library)))
    if arguments.write:
        with open(arguments.list, "w", encoding="utf-8") as file:
            file.writelines(name + "\n" for name in found)
        return
    with open(arguments.list, encoding="utf-8") as file:
        listed = file.read().splitlines()
    problems = [f"gone: {name}" for name in listed if name not in set(found)]
    problems += [f"new: {name}" for name in found if name not in set(listed)]
    for problem in problems:
        print(problem)
    if problems:
        print(f"if that is meant: {sys.argv[0]} --write {arguments.library} {arguments.list}, and say it in CHANGELOG.md")
    sys.exit(1 if problems else 0)


main()
