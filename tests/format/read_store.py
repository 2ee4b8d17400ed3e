#!/usr/bin/env python3
"""Reads a store as docs/FORMAT.md says, without the library. Usage: read_store.py RUNTIME_DIRECTORY

The runtime must be closed, or its writer dead. Nothing is changed: recovery happens in memory. Prints one JSON object a
line: {"worker":…} for each Worker in id order, {"event":…} for each event, {"entry":…} for each transcript entry, their
members named as the command-line tool names them. Exit 3 and a message for damage, 4 if a writer has the runtime open.

Written from FORMAT.md alone, as a proof that it can be; numbers in comments are its sections.
"""
import fcntl
import json
import os
import re
import struct
import sys

SCHEMA_VERSION = 1
COUNTER_MAX = 2 ** 53 - 1
WORD = 2 ** 64 - 1
F_OFD_GETLK = 36  # Linux; the fcntl module of Python 3.11 does not name it


class Damage(Exception):
    pass


class Locked(Exception):
    pass


# ---- 2: the checked line

TABLE = []
for number in range(256):
    for _ in range(8):
        number = number >> 1 ^ (0x82F63B78 if number & 1 else 0)
    TABLE.append(number)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def checksum(line):
    """Of a line with its newline; None if it does not check."""
    if len(line) < 21 or not line.startswith(b'{"crc":"') or line[16:18] != b'",' or not line.endswith(b"}\n"):
        return None
    text = b"%08x" % crc32c(line[18:-1])
    return int(text, 16) if line[8:16] == text else None


def without_doubles(pairs):
    names = [name for name, _ in pairs]
    if len(names) != len(set(names)):
        raise ValueError("a member is there twice")
    return dict(pairs)


def parse(line):
    value = json.loads(line.decode("utf-8"), object_pairs_hook=without_doubles)
    value.pop("crc")
    return value


def lines_of(data):
    """Split on byte 0A alone; the last one may lack its newline."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", start) + 1 or len(data)
        yield data[start:end]
        start = end


# ---- 6: paths

PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


def encode_id(text):
    return "".join(chr(byte) if byte in PLAIN and not (byte == ord(".") and at == 0) else f"%{byte:02X}"
                   for at, byte in enumerate(text.encode("utf-8")))


def numbered(directory, stem):
    """The files `<stem><16 hex>.jsonl` of a directory: number -> path, in order."""
    form = re.compile(re.escape(stem) + r"([0-9a-f]{16})\.jsonl")
    names = sorted(os.listdir(directory)) if os.path.isdir(directory) else []
    matches = ((form.fullmatch(name), name) for name in names)
    return {int(match[1], 16): os.path.join(directory, name) for match, name in matches if match}


def read_bytes(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        raise Damage(f"{path} is missing") from None


# ---- 4.6: digests of create requests

def create_digest(create):
    state = [0x243F6A8885A308D3, 0x13198A2E03707344]

    def mix(x):
        x ^= x >> 33
        x = x * 0xFF51AFD7ED558CCD & WORD
        x ^= x >> 33
        x = x * 0xC4CEB9FE1A85EC53 & WORD
        return x ^ x >> 33

    def word(w):
        state[0] = mix(state[0] ^ w) + 0x9E3779B97F4A7C15 & WORD
        state[1] = mix(state[1] + w * 0xBF58476D1CE4E5B9 & WORD) ^ state[0]

    def text(value):
        data = value.encode("utf-8")
        word(len(data))
        for at in range(0, len(data), 8):
            word(int.from_bytes(data[at:at + 8], "little"))

    def optional(value):
        word(0 if value is None else 1)
        if value is not None:
            text(value)

    intent, profile = create["intent"], create.get("profile", {"kind": "runtime_default"})
    word(["assistant", "task", "role"].index(intent["kind"]))
    if intent["kind"] == "task":
        text(intent["objective"])
    else:
        if intent["kind"] == "role":
            text(intent["role"])
        optional(intent.get("purpose"))
    word(["runtime_default", "builtin", "named"].index(profile["kind"]))
    text(profile.get("value", ""))
    optional(create.get("config_bundle", {}).get("id"))
    word(len(create.get("requested_capabilities", [])))
    for capability in create.get("requested_capabilities", []):
        text(capability["name"])
        optional(capability.get("reason"))
    for references in (create.get("workspace_refs", []), create.get("mount_refs", [])):
        word(len(references))
        for reference in references:
            text(reference["name"])
            text(reference["reference"])
    optional(create.get("worker_id"))
    optional(create.get("display_name"))
    if "origin" in create:
        text(create["origin"]["worker_ref"]["runtime_id"])
        text(create["origin"]["worker_ref"]["worker_id"])
        word(create["origin"]["sequence"])
    return f"{mix(state[0]):016x}{mix(state[1]):016x}"


class Store:
    def __init__(self, directory):
        self.directory = directory
        self.workers = {}  # id -> the members of a record (3.3)
        self.entries = {}  # id -> entries behind the watermark
        self.redacted = {}  # (id, sequence) -> the entry as it is since
        self.events = []  # events behind the watermark
        self.read_lock()
        self.read_runtime()
        self.read_catalog()
        self.read_journal()

    def path(self, *names):
        return os.path.join(self.directory, *names)

    # ---- 5: the lock, and durable

    def read_lock(self):
        with open(self.path("lock"), "rb") as file:
            asked = struct.pack("@hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            if struct.unpack("@hhqqi4x", fcntl.fcntl(file, F_OFD_GETLK, asked))[0] != fcntl.F_UNLCK:
                raise Locked("a writer has the runtime open")

    def read_mark(self):
        """(LSN, writer, durability); None if the file proves nothing."""
        try:
            line = read_bytes(self.path("journal", "durable"))
        except Damage:
            return None
        if len(line) != 59 or line[50:] != b"%08x\n" % crc32c(line[:50]):
            return None
        return int(line[:16], 16), line[34:40].rstrip().decode(), line[41:49].rstrip().decode()

    # ---- 7.4, steps 1 and 2

    def read_runtime(self):
        line = read_bytes(self.path("runtime.json"))
        if checksum(line) is None or line.count(b"\n") != 1:
            raise Damage("runtime.json does not check")
        self.runtime = parse(line)
        self.check_version(self.runtime)
        if self.runtime.get("repairing"):
            raise Damage("a repair was cut off")
        self.checkpoint = self.runtime["lsn"]

    def check_version(self, header):
        if header["schema_version"] != SCHEMA_VERSION:
            raise Damage(f"schema version {header['schema_version']}, this reader knows {SCHEMA_VERSION}")

    def read_catalog(self):
        position = self.runtime["catalog"]
        path = self.path(f"catalog.{position['lsn']:016x}.jsonl")
        lines = list(lines_of(read_bytes(path)[:position["bytes"]]))
        sums = {}
        checksums = [checksum(line) for line in lines]
        if None in checksums:
            raise Damage(f"{path}: a line does not check; its stand-in is a writer's work")
        if len(lines) != position["lines"] or parse(lines[0])["lsn"] != position["lsn"]:
            raise Damage(f"{path} is not what runtime.json names")
        for line, own_checksum in zip(lines[1:], checksums[1:]):
            record = parse(line)
            self.check_runtime_id(record["runtime_id"])
            sums[record["worker_id"]] = own_checksum
            if record.get("deleted"):
                self.workers.pop(record["worker_id"], None)
            else:
                self.workers[record["worker_id"]] = record
        live = 0
        for one in sums.values():
            live ^= one
        if live != int(position["live_checksum"], 16):
            raise Damage(f"{path}: lines were replaced")
        for record in self.workers.values():
            if "create_key" in record and create_digest(record["create"]) != record["create_digest"]:
                raise Damage(f"{path}: the digest of {record['worker_id']} is another one")

    def check_runtime_id(self, runtime_id):
        if runtime_id != self.runtime["runtime_id"]:
            raise Damage(f"a line of runtime {runtime_id}")

    # ---- 7.4, step 3

    def read_journal(self):
        segments = numbered(self.path("journal"), "")
        firsts = [first for first in segments if first <= self.checkpoint + 1]
        if not firsts:
            raise Damage("the segment behind the checkpoint is missing")
        firsts = [first for first in segments if first >= firsts[-1]]
        mark = self.read_mark()
        limit = mark[0] if mark and mark[1] == "failed" else None
        self.proof = max(self.checkpoint, mark[0] if mark and mark[2] == "sync" else 0)
        self.end = None  # (LSN, checksum) of the last record that was taken
        for first, following in zip(firsts, firsts[1:] + [None]):
            if self.read_segment(segments[first], first, following, limit):
                return

    def read_segment(self, path, first, following, limit):
        """True: the rest of the journal is not to be shown."""
        data = read_bytes(path)
        if data.endswith(b"\n"):
            data = data.rstrip(b"\n") + b"\n"  # filler at the end says nothing
        lines = lines_of(data)
        self.read_header(path, next(lines, b""), first)
        self.proof = max(self.proof, (following or first) - 1)
        bad = False
        for line in lines:
            if limit is not None and self.end[0] >= limit:
                return True
            own_checksum = checksum(line)
            record = parse(line) if own_checksum is not None else None
            if bad:
                if record is not None:
                    self.proof = max(self.proof, record["durable"])
            elif record is None:
                bad = True
            elif following is not None and record["lsn"] >= following:
                break
            else:
                self.proof = max(self.proof, record["durable"])
                bad = not self.take(record, own_checksum)
        if self.end[0] < (self.proof if following is None else following - 1):
            raise Damage(f"{path}: acknowledged commits are missing from LSN {self.end[0] + 1} on")
        return False

    def read_header(self, path, line, first):
        if checksum(line) is None:
            raise Damage(f"{path}: the header does not check")
        header = parse(line)
        self.check_version(header)
        self.check_runtime_id(header["runtime_id"])
        self.durability = header["durability"]
        previous = int(header["previous"], 16)
        if self.end is None:
            self.end = first - 1, previous
        if header["lsn"] != first or self.end[1] != previous:
            raise Damage(f"{path}: the header does not fit")

    def take(self, record, own_checksum):
        if record["lsn"] != self.end[0] + 1 or int(record["previous"], 16) != self.end[1]:
            return False
        if record["lsn"] > self.checkpoint:
            for change in record["changes"]:
                self.apply(change, record["lsn"])
        self.end = record["lsn"], own_checksum
        return True

    # ---- 3.8: applying a change

    def apply(self, change, lsn):
        if "trim" in change:
            return self.trim(change["trim"], lsn)
        if "redaction" in change:
            return self.redact(change["redaction"])
        event, stopped = change["event"], change.get("stopped_workers", 0)
        if event["id"] != self.runtime["last_event_id"] + stopped + 1 or event["at"] < self.runtime["last_at"]:
            raise Damage(f"event {event['id']} does not follow")
        kind = event["kind"]
        worker_id = event.get("worker_ref", {}).get("worker_id")
        if kind == "worker_created":
            begun = change.get("import", {"create": change.get("create"), "entries": []})
            self.create(worker_id, event, begun["create"])
            for entry in begun["entries"]:
                if not entry["copied"] or entry["event_id"] != event["id"]:
                    raise Damage(f"an entry of {worker_id} is not of its event")
                self.append(self.workers[worker_id], entry, "inputs" if entry["role"] in ("user", "system") else "outputs")
        elif kind == "worker_deleted":
            del self.workers[worker_id]
            self.entries.pop(worker_id, None)
        elif kind in ("runtime_started", "runtime_stopped"):
            self.stop_all(event, stopped, lsn)
            self.runtime["status"] = kind.removeprefix("runtime_").replace("started", "running")
        else:
            worker = self.workers[worker_id]
            if kind in ("worker_input_accepted", "worker_output_appended"):
                self.append(worker, change["entry"], "inputs" if kind == "worker_input_accepted" else "outputs")
            elif kind in ("worker_stopped", "worker_cancelled"):
                worker["status"] = kind.removeprefix("worker_")
            else:
                raise Damage(f"a newer version wrote the event kind {kind}")
        if worker_id in self.workers:
            self.workers[worker_id].update(updated_at=event["at"], last_event_id=event["id"], lsn=lsn)
        self.runtime.update(last_event_id=event["id"], last_at=event["at"])
        self.events.append(event)

    def trim(self, trim, lsn):
        if "worker_id" in trim:
            worker = self.workers[trim["worker_id"]]
            self.keep_from(worker, "first_sequence", trim["first_kept"], worker["transcript_len"])
            worker["lsn"] = lsn
        else:
            self.keep_from(self.runtime, "first_event_id", trim["first_kept"], self.runtime["last_event_id"])

    def redact(self, entry):
        worker = self.workers[entry["worker_ref"]["worker_id"]]
        if not worker.get("first_sequence", 1) <= entry["sequence"] <= worker["transcript_len"]:
            raise Damage(f"a redaction of entry {entry['sequence']} does not fit")
        self.redacted[worker["worker_id"], entry["sequence"]] = entry

    @staticmethod
    def keep_from(record, name, first_kept, last):
        if not record.get(name, 1) < first_kept <= last + 1:
            raise Damage(f"a trim to {first_kept} does not fit")
        record[name] = first_kept

    def create(self, worker_id, event, create):
        if worker_id in self.workers:
            raise Damage(f"{worker_id} was created twice")
        self.workers[worker_id] = record = {
            "worker_id": worker_id, "status": "running", "created_at": event["at"], "transcript_len": 0,
            "usage": {"inputs": 0, "outputs": 0, "content_bytes": 0, "counters": {}},
            "transcript": {"first": 1, "bytes": 0, "last": 0}, "create": create}
        if "display_name" in create:
            record["display_name"] = create["display_name"]

    def append(self, worker, entry, counted):
        if entry["sequence"] != worker["transcript_len"] + 1 or worker["status"] != "running":
            raise Damage(f"entry {entry['sequence']} of {worker['worker_id']} does not follow")
        worker["transcript_len"] = entry["sequence"]
        usage = worker["usage"]
        usage[counted] += 1
        usage["content_bytes"] += entry["redacted"] if "redacted" in entry else len(entry["content"].encode("utf-8"))
        for name, value in entry.get("usage", {}).items():
            usage["counters"][name] = min(usage["counters"].get(name, 0) + value, COUNTER_MAX)
        self.entries.setdefault(worker["worker_id"], []).append(entry)

    def stop_all(self, event, stopped, lsn):
        running = [worker for worker in self.list() if worker["status"] == "running"]
        if stopped and stopped != len(running):
            raise Damage(f"event {event['id']} stops {stopped} Workers, but {len(running)} run")
        for number, worker in enumerate(running[:stopped], event["id"] - stopped):
            reference = {"runtime_id": self.runtime["runtime_id"], "worker_id": worker["worker_id"]}
            worker.update(status="stopped", updated_at=event["at"], last_event_id=number, lsn=lsn)
            self.events.append({"id": number, "at": event["at"], "worker_ref": reference, "kind": "worker_stopped",
                                "message": "worker stopped"})

    # ---- what is shown

    def list(self):
        return [self.workers[worker_id] for worker_id in sorted(self.workers, key=lambda text: text.encode("utf-8"))]

    def read_log(self, directory, stem, key, watermark, waiting, first_kept, redacted):
        """All lines of a log that are kept: 7.4, step 4."""
        parts = {first: path for first, path in numbered(directory, stem + ".").items() if first < watermark["first"]}
        current = os.path.join(directory, stem + ".jsonl")
        closed = os.path.join(directory, f"{stem}.{watermark['first']:016x}.jsonl")
        if watermark["last"] >= watermark["first"]:
            begin = b'"%s":%d,' % (key.encode(), watermark["first"])
            is_current = os.path.exists(current) and read_bytes(current)[18:18 + len(begin)] == begin
            parts[watermark["first"]] = current if is_current or not os.path.exists(closed) else closed
        trimmed = [first for first in parts if first <= first_kept]  # all but the last of them hold nothing else
        parts = {first: path for first, path in parts.items() if first > first_kept or first == trimmed[-1]}
        expected = trimmed[-1] if trimmed else first_kept
        for first, path in parts.items():
            data = read_bytes(path)
            if first == watermark["first"]:
                if len(data) < watermark["bytes"]:
                    raise Damage(f"{path} ends before its watermark")
                data = data[:watermark["bytes"]]
            for line in lines_of(data):
                item = parse(line) if checksum(line) is not None else {}
                item = redacted.get(expected, item)  # whatever a crash has left of the two lines
                if item.get(key) != expected or not line[18:].startswith(b'"%s":%d,' % (key.encode(), expected)):
                    raise Damage(f"{path}: {key} {expected} is damaged or missing")
                if expected >= first_kept:
                    yield item
                expected += 1
        if expected < watermark["last"] + 1:
            raise Damage(f"{current}: {key} {expected} is missing")
        yield from (redacted.get(item[key], item) for item in waiting if item[key] >= first_kept)

    def read_events(self):
        # The watermark is that of runtime.json, whatever the journal added.
        first_kept = self.runtime.get("first_event_id", 1)
        for event in self.read_log(self.directory, "events", "id", self.runtime["events"], self.events, first_kept, {}):
            self.check_runtime_id(event.pop("runtime_id", None) or event["worker_ref"]["runtime_id"])
            yield event

    def read_transcript(self, worker):
        worker_id = worker["worker_id"]
        directory = self.path("workers", encode_id(worker_id))
        waiting = self.entries.get(worker_id, [])
        first_kept = worker.get("first_sequence", 1)
        redacted = {number: entry for (owner, number), entry in self.redacted.items() if owner == worker_id}
        for entry in self.read_log(directory, "transcript", "sequence", worker["transcript"], waiting, first_kept, redacted):
            if entry["worker_ref"] != {"runtime_id": self.runtime["runtime_id"], "worker_id": worker_id}:
                raise Damage(f"{directory}: sequence {entry['sequence']} belongs to another Worker")
            yield entry

    def summary(self, worker):
        shown = {"worker_ref": {"runtime_id": self.runtime["runtime_id"], "worker_id": worker["worker_id"]}}
        names = ("display_name", "status", "created_at", "updated_at", "transcript_len", "first_sequence", "last_event_id",
                 "usage")
        shown.update((name, worker[name]) for name in names if name in worker)
        return shown


def main():
    try:
        store = Store(sys.argv[1])
        workers = store.list()
        for worker in workers:
            print(json.dumps({"worker": store.summary(worker)}))
        for event in store.read_events():
            print(json.dumps({"event": event}))
        for worker in workers:
            for entry in store.read_transcript(worker):
                print(json.dumps({"entry": entry}))
    except Damage as damage:
        print(damage, file=sys.stderr)
        sys.exit(3)
    except Locked as locked:
        print(locked, file=sys.stderr)
        sys.exit(4)


if __name__ == "__main__":
    main()
