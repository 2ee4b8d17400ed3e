#!/usr/bin/env python3
"""Makes inputs for the fuzzers from stores and requests that are real: seeds.py TOOL DIRECTORY

TOOL is the command-line tool. DIRECTORY/TARGET gets the inputs. Those worth keeping, made smaller, are committed in
fuzz/corpus; docs/TESTING.md tells how.
"""
import json
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "format"))
import stores  # noqa: E402


def as_text(path, line):
    """A line as fuzz/support/store_text.h takes it."""
    if not line.startswith(b'{"crc":"'):
        return line
    line = b"{" + line[18:]
    if path.startswith("journal/"):
        line = re.sub(rb'"previous":"[0-9a-f]{8}"', b'"previous":"@@@@@@@@"', line)
    if path == "runtime.json":
        line = re.sub(rb'("events":\{"first":\d+,"bytes":)\d+', rb"\1&events.jsonl&", line)
        line = re.sub(rb'("catalog":\{"lsn":(\d+),"bytes":)\d+',
                      lambda match: match[1] + b"&catalog.%016x.jsonl&" % int(match[2]), line)
    return line


def store_text(runtime):
    """The files of a runtime; those that others refer to first."""
    paths = sorted(p for p in runtime.rglob("*") if p.is_file() and p.name not in ("lock", "reserve.0", "reserve.1"))
    paths.sort(key=lambda p: (p.name == "runtime.json", p.parent.name == "journal"))
    text = b""
    for path in paths:
        name = path.relative_to(runtime).as_posix()
        lines = path.read_bytes().rstrip(b"\n").split(b"\n")
        text += b"=" + name.encode() + b"\n" + b"".join(as_text(name, line) + b"\n" for line in lines)
        if name.startswith("journal/"):
            text += b"\n\n"
    return text


def file_text(runtime, path):
    name = path.relative_to(runtime).as_posix()
    lines = path.read_bytes().rstrip(b"\n").split(b"\n")
    return b"=" + name.encode() + b"\n" + b"".join(as_text(name, line) + b"\n" for line in lines) + b"\n"


def put(directory, target, name, data):
    path = directory / target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def put_store(directory, name, runtime):
    put(directory, "store_files", name, store_text(runtime))
    segments = sorted((runtime / "journal").glob("0*.jsonl"))
    put(directory, "journal", name, b"".join(file_text(runtime, path) for path in segments))
    catalogs = sorted(runtime.glob("catalog.*.jsonl"))
    put(directory, "catalog", name, file_text(runtime, catalogs[-1]).split(b"\n", 1)[1])
    for path in sorted(runtime.rglob("*.jsonl")) + [runtime / "runtime.json"]:
        for number, line in enumerate(path.read_bytes().rstrip(b"\n").split(b"\n")):
            if len(line) < 18 or len(line) > 1500:
                continue
            unique = f"{name}-{path.stem[:10]}-{number}"
            put(directory, "decoder", unique, b"{" + line[18:])
            if number < 2:
                put(directory, "checked_line", unique, line + b"\n")


SMALL = [
    stores.create("a", idempotency_key="k"), stores.send("a", "one", idempotency_key="1"),
    stores.append("a", "two", name="n", data={"d": [1]}, usage={"t": 2}), stores.create(),
    stores.simple("stop_worker", "a"), stores.simple("delete_worker", "a"),
]
READS = [
    {"op": "list_workers", "status": "running", "after": "a", "limit": 3}, {"op": "worker_detail", "worker_id": "a"},
    {"op": "summary"}, {"op": "version"}, {"op": "diagnostics", "after": 1, "limit": 2}, {"op": "checkpoint"},
    {"op": "read_events", "from": 3, "limit": 2, "newest_first": True},
    {"op": "read_transcript", "worker_ref": {"runtime_id": "main", "worker_id": "a"}, "start": 0, "limit": 2},
    {"op": "wait_events", "from": 3, "timeout_ms": 10, "limit": 1},
]


def main():
    tool, directory = sys.argv[1], pathlib.Path(sys.argv[2])
    for number, request in enumerate([*stores.EVERYTHING, *stores.BEHIND, *READS]):
        put(directory, "pipe_request", f"request-{number}", json.dumps({"id": number, **request}).encode())
        if "data" in request:
            put(directory, "json_data", f"data-{number}", json.dumps(request["data"]).encode())
    put(directory, "json_data", "escapes", br'{"\u0061\ud83d\ude00": [true, false, null, -1.5e+3, "\n\"\\"], "b": {}}')
    put(directory, "json_data", "deep", b'{"":' + b"[" * 63 + b"]" * 63 + b"}")
    for number, odd in enumerate([*stores.ODD_IDS, "%2Ehidden", "catalog.000000000000001f.jsonl",
                                  "000000000000001f.jsonl", "events.000000000000001f.jsonl",
                                  "2026-11-24T10:00:00.000000Z", "0123456789abcdef" * 2, "worker-0000001f"]):
        put(directory, "names", f"name-{number}", odd.encode())
    for number in range(8):
        put(directory, "log_pages", f"log-{number}",
            bytes([1, number % 3, 10 + number, *(range(10, 255, 17)), *range(40), number % 4, *range(30)]))
        put(directory, "operations", f"operations-{number}",
            bytes([number % 4, *((value * (number * 2 + 3) + value // 5) % 256 for value in range(150))]))
    with tempfile.TemporaryDirectory() as scratch:
        maker = stores.StoreMaker(tool, scratch)
        put_store(directory, "small", maker.closed("small", SMALL))
        put_store(directory, "small-killed", maker.killed("small", [stores.create("b"), stores.send("b", "three")]))
        put_store(directory, "everything", maker.closed("everything", stores.EVERYTHING))
        put_store(directory, "everything-killed", maker.killed("everything", stores.BEHIND))


if __name__ == "__main__":
    main()
