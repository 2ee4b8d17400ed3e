#!/usr/bin/env python3
"""The trace points of a library are those of the table in the guide: trace_points.py LIBRARY GUIDE."""
import argparse
import re
import subprocess
import sys


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library")
    parser.add_argument("guide")
    parser.add_argument("--readelf", default="readelf")
    arguments = parser.parse_args()
    notes = subprocess.run([arguments.readelf, "--notes", arguments.library], check=True, capture_output=True,
                           text=True).stdout
    found = set(re.findall(r"Provider: worker_runtime\s+Name: (\w+)", notes))
    with open(arguments.guide, encoding="utf-8") as file:
        guide = file.read()
    table = re.search(r"^\| trace point .*?\n\n", guide, re.M | re.S).group(0)
    listed = {name for row in table.strip().splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    print("in the library:", sorted(found))
    sys.exit(0 if found and found == listed else f"in the guide: {sorted(listed)}")


main()
