#!/usr/bin/env python3
"""docs/FORMAT.md is as the files are. Usage: format_test.py TOOL SOURCE_DIRECTORY [unittest arguments]

A reader written from the document alone (read_store.py) must show what the tool shows, of stores closed, killed and
damaged; and the tables, examples and recipes of the document are compared with real files, both ways.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import read_store
import stores

try:
    import jsonschema
except ImportError:  # another Python than Debian's
    jsonschema = None

TOOL = pathlib.Path(sys.argv[1])
SOURCE = pathlib.Path(sys.argv[2])
sys.path.append(str(SOURCE / "docs/schema"))
import generate as schemas  # noqa: E402: where it lies is known only now

DOCUMENT = (SOURCE / "docs" / "FORMAT.md").read_text(encoding="utf-8")


def checked_line(value):
    """A line as FORMAT.md, section 2, says."""
    rest = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")[1:]
    return b'{"crc":"%08x",' % read_store.crc32c(rest) + rest + b"\n"


def parsed(path):
    return [read_store.parse(line) for line in path.read_bytes().splitlines(keepends=True) if line != b"\n"]


class StoreTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.maker = stores.StoreMaker(TOOL, directory.name)
        self.maxDiff = 4000

    def read(self, runtime, expected=0):
        done = subprocess.run([sys.executable, "-B", read_store.__file__, str(runtime)], capture_output=True, text=True,
                              encoding="utf-8", timeout=60)
        self.assertEqual(done.returncode, expected, done.stderr)
        shown = {"worker": [], "event": [], "entry": []}
        for line in done.stdout.splitlines():
            for kind, value in json.loads(line).items():
                shown[kind].append(value)
        return shown

    def assert_agree(self, name):
        """The reader and the tool show the same, and neither changes anything. Answers what they show."""
        before = self.bytes_of(name)
        shown = self.read(self.maker.runtime(name))
        self.assertEqual(shown["worker"], self.maker.lines(name, "list"))
        self.assertEqual(shown["event"], self.maker.lines(name, "events"))
        entries = []
        for worker in shown["worker"]:
            entries += self.maker.lines(name, "transcript", worker["worker_ref"]["worker_id"])
        self.assertEqual(shown["entry"], entries)
        self.assertEqual(self.bytes_of(name), before)
        return shown

    def bytes_of(self, name):
        runtime = self.maker.runtime(name)
        return {path.relative_to(runtime): path.read_bytes() for path in sorted(runtime.rglob("*")) if path.is_file()}

    @staticmethod
    def last_segment(runtime):
        return sorted((runtime / "journal").glob("*.jsonl"))[-1]


class ReaderTest(StoreTest):
    def test_closed_store(self):
        runtime = self.maker.closed("s", stores.EVERYTHING)
        shown = self.assert_agree("s")
        self.assertGreater(len(shown["entry"]), 5)
        self.assertEqual([], [path for path in (runtime / "workers").iterdir() if path.name in ("old", "plain")])

    def test_store_killed_before_any_checkpoint(self):
        runtime = self.maker.killed("s", [request for request in stores.EVERYTHING + stores.BEHIND
                                          if request["op"] != "delete_worker"])
        self.assertEqual(json.loads((runtime / "runtime.json").read_bytes())["lsn"], 0)
        self.assert_agree("s")

    def test_store_killed_behind_a_checkpoint(self):
        runtime = self.maker.killed("s", [*stores.EVERYTHING, stores.simple("checkpoint"), *stores.BEHIND])
        self.assertGreater(json.loads((runtime / "runtime.json").read_bytes())["lsn"], 0)
        shown = self.assert_agree("s")
        self.assertIn("the end", [entry.get("content") for entry in shown["entry"]])

    def test_store_killed_again_and_again(self):
        for at in range(4):
            self.maker.killed("s", [stores.create(f"w{at}"), stores.send(f"w{at}", "x" * 3000), stores.create()])
            shown = self.assert_agree("s")
            self.assertEqual(len(shown["worker"]), 2 * at + 2)

    def test_killed_in_the_other_durability_modes(self):
        for mode in ("interval", "none"):
            with self.subTest(mode):
                self.maker.killed(mode, stores.EVERYTHING, "--durability", mode)
                self.assert_agree(mode)

    def test_ids_that_need_encoding(self):
        runtime = self.maker.closed("s", [request for worker_id in stores.ODD_IDS for request in
                                          (stores.create(worker_id), stores.send(worker_id, "hello"))])
        shown = self.assert_agree("s")
        self.assertEqual(len(shown["worker"]), len(stores.ODD_IDS))
        self.assertEqual({path.name for path in (runtime / "workers").iterdir()},
                         {read_store.encode_id(worker_id) for worker_id in stores.ODD_IDS})

    def test_journal_of_several_segments(self):
        runtime = self.maker.killed("s", [stores.create("a"), *(stores.send("a", "y" * 900_000) for _ in range(3))])
        self.assertGreater(len(list((runtime / "journal").glob("*.jsonl"))), 1)
        self.assert_agree("s")

    def test_reader_refuses_where_a_writer_lives(self):
        with self.maker.start("s") as pipe:
            self.maker.ask(pipe, [stores.create("a")])
            self.read(self.maker.runtime("s"), expected=4)
            pipe.communicate(timeout=60)
        self.read(self.maker.runtime("s"))


class PartsTest(StoreTest):
    """Closed parts of logs are 256 MiB long; here they are made by hand, which tests the document too."""

    def split(self, path, number, watermark, key):
        """Closes a part in front of line `number`; the watermark that belongs to it."""
        lines = path.read_bytes().splitlines(keepends=True)
        first = watermark["first"]
        path.rename(path.with_name(f"{path.stem}.{first:016x}.jsonl"))
        path.with_name(f"{path.stem}.{first:016x}.jsonl").write_bytes(b"".join(lines[:number - first]))
        path.write_bytes(b"".join(lines[number - first:]))
        self.assertTrue(lines[number - first].startswith(b'"%s":%d,' % (key, number), 18))
        return {"first": number, "bytes": path.stat().st_size, "last": watermark["last"]}

    def test_closed_parts_of_both_logs(self):
        runtime = self.maker.closed("s", stores.EVERYTHING)
        head = read_store.parse((runtime / "runtime.json").read_bytes())
        for number in (4, 9, 10):
            head["events"] = self.split(runtime / "events.jsonl", number, head["events"], b"id")
        catalog = runtime / f"catalog.{head['catalog']['lsn']:016x}.jsonl"
        lines = catalog.read_bytes().splitlines(keepends=True)
        at = max(at for at, line in enumerate(lines) if b'"worker_id":"mail",' in line)
        record = read_store.parse(lines[at])
        record["transcript"] = self.split(runtime / "workers/mail/transcript.jsonl", 2, record["transcript"], b"sequence")
        new = checked_line(record)
        live = int(head["catalog"]["live_checksum"], 16) ^ read_store.checksum(lines[at]) ^ read_store.checksum(new)
        catalog.write_bytes(b"".join([*lines[:at], new, *lines[at + 1:]]))
        (runtime / "workers/mail/worker.json").write_bytes(new)
        head["catalog"].update(bytes=catalog.stat().st_size, live_checksum=f"{live:08x}")
        (runtime / "runtime.json").write_bytes(checked_line(head))
        self.assert_agree("s")
        self.maker.run("s", "verify")
        # And a writer goes on where the hand stopped.
        self.maker.run("s", "send", "mail", "next")
        self.assertIn("next", [entry.get("content") for entry in self.assert_agree("s")["entry"]])
        # Parts of which nothing is kept go.
        self.maker.run("s", "trim", "--before", "9")
        self.maker.run("s", "trim", "mail", "--before", "3")
        self.assertEqual([path.name for path in runtime.glob("events.*.jsonl")], [f"events.{9:016x}.jsonl"])
        self.assertEqual([path.name for path in (runtime / "workers/mail").glob("transcript*")], ["transcript.jsonl"])
        self.assert_agree("s")
        self.maker.run("s", "verify")

    def test_part_that_was_closed_behind_the_checkpoint(self):
        runtime = self.maker.killed("s", [stores.create("a"), *(stores.send("a", str(n)) for n in range(5)),
                                          stores.simple("checkpoint"), stores.send("a", "behind")])
        for path in (runtime / "events.jsonl", runtime / "workers/a/transcript.jsonl"):
            path.rename(path.with_name(f"{path.stem}.{1:016x}.jsonl"))
        (runtime / "events.jsonl").write_bytes(b"")
        self.assert_agree("s")
        self.maker.run("s", "send", "a", "again")
        self.assertEqual([entry.get("content") for entry in self.assert_agree("s")["entry"]][-2:], ["behind", "again"])
        self.maker.run("s", "verify")


class DamageTest(StoreTest):
    def killed(self, count=6):
        return self.maker.killed("s", [stores.create("a"), *(stores.send("a", f"number {n}") for n in range(count))])

    def assert_both_refuse(self, name):
        self.read(self.maker.runtime(name), expected=3)
        self.maker.run(name, "list", expected=3)

    def test_torn_tail_behind_every_proof(self):
        runtime = self.killed()
        segment = self.last_segment(runtime)
        data = segment.read_bytes()
        used = len(data.rstrip(b"\n")) + 1
        torn = b'{"crc":"00000000","lsn":99,"epoch":1,"cha'
        segment.write_bytes(data[:used] + torn + data[used + len(torn):])
        self.assertEqual(len(self.assert_agree("s")["entry"]), 6)
        found = self.maker.lines("s", "verify")[0]["findings"]
        self.assertEqual([finding["code"] for finding in found], ["torn_tail"])
        self.maker.run("s", "start")
        [aside] = (runtime / "quarantine").iterdir()
        self.assertRegex(aside.name, rf"^journal\.{segment.name}\.{used:016x}\.[0-9a-f]{{16}}$")
        self.assertEqual(aside.read_bytes(), torn + b"\n")

    def test_last_record_counts_as_torn_only_without_a_proof(self):
        runtime = self.killed()
        segment = self.last_segment(runtime)
        data = bytearray(segment.read_bytes())
        data[data.rstrip(b"\n").rfind(b"number 5")] ^= 1
        segment.write_bytes(data)
        self.assert_both_refuse("s")
        (runtime / "journal" / "durable").unlink()
        self.assertEqual(len(self.read(runtime)["entry"]), 5)
        self.assertEqual(len(self.maker.lines("s", "transcript", "a")), 5)

    def test_damage_in_front_of_a_good_record(self):
        runtime = self.killed()
        segment = self.last_segment(runtime)
        data = bytearray(segment.read_bytes())
        data[data.find(b"number 2")] ^= 1
        segment.write_bytes(data)
        (runtime / "journal" / "durable").unlink()
        self.assert_both_refuse("s")

    def test_missing_segment(self):
        runtime = self.killed()
        self.last_segment(runtime).unlink()
        self.assert_both_refuse("s")

    def test_replaced_catalog_line(self):
        runtime = self.maker.closed("s", stores.EVERYTHING)
        [catalog] = runtime.glob("catalog.*.jsonl")
        lines = catalog.read_bytes().splitlines(keepends=True)
        at = max(at for at, line in enumerate(lines) if b'"worker_id":"mail",' in line)
        lines[at] = checked_line({**read_store.parse(lines[at]), "status": "stopped"})
        catalog.write_bytes(b"".join(lines))
        head = read_store.parse((runtime / "runtime.json").read_bytes())
        head["catalog"]["bytes"] = catalog.stat().st_size
        (runtime / "runtime.json").write_bytes(checked_line(head))
        self.assert_both_refuse("s")

    def test_newer_schema(self):
        runtime = self.maker.closed("s", stores.EVERYTHING)
        head = read_store.parse((runtime / "runtime.json").read_bytes())
        (runtime / "runtime.json").write_bytes(checked_line({**head, "schema_version": 2}))
        self.assert_both_refuse("s")


# ---- the document

SIMPLE_TYPES = {
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2 ** 64,
    "text": lambda value: isinstance(value, str),
    "id": lambda value: isinstance(value, str) and 1 <= len(value.encode("utf-8")) <= 80,
    "time": lambda value: re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", value),
    "hex8": lambda value: re.fullmatch(r"[0-9a-f]{8}", value),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "counters": lambda value: all(isinstance(number, int) for number in value.values()) and list(value) == sorted(value),
}


def tables():
    """Kind -> {member: (type, whether it may be absent)}."""
    return {kind: {member: (type_name, absent != "–") for member, (type_name, absent, _) in members.items()}
            for kind, members in schemas.tables(DOCUMENT).items()}


def kind_of(path, at, line):
    """What the line of a file is, from 0 on."""
    if path.name.startswith("events."):
        return "event"
    if path.name.startswith("transcript."):
        return "entry"
    if path.name == "runtime.json":
        return "runtime"
    if path.parent.name == "journal":
        return "journal record" if at else "segment header"
    if path.name.startswith("catalog.") and at == 0:
        return "catalog header"
    return "tombstone" if line.get("deleted") else "Worker"


def export_of(maker):
    """The lines of an export, with their kinds."""
    lines = maker.run("recovered", "export", "fork").splitlines(keepends=True)
    return zip(["export header", *["entry"] * (len(lines) - 2), "export end"], lines)


def make_all_kinds(maker):
    """Stores that hold all there is, in four states; their names."""
    maker.closed("closed", stores.EVERYTHING)
    maker.closed("empty", [])
    maker.killed("killed", [*stores.EVERYTHING, stores.simple("checkpoint"), *stores.BEHIND])
    # What a recovery has to say is about no Worker.
    maker.copy("killed", "recovered")
    maker.run("recovered", "start")
    return ("closed", "empty", "killed", "recovered")


class DocumentTest(StoreTest):
    @staticmethod
    def code(language):
        # Fences alternate, so every second piece is a block.
        blocks = re.split(r"^```", DOCUMENT, flags=re.M)[1::2]
        return [block.partition("\n")[2] for block in blocks if block.partition("\n")[0] == language]

    def setUp(self):
        super().setUp()
        self.tables = tables()
        self.seen = {kind: set() for kind in self.tables}
        self.left_out = {kind: set() for kind in self.tables}

    def walk(self, kind, value, where):
        self.assertIn(kind, self.tables)
        members = self.tables[kind]
        for name, content in value.items():
            self.assertIn(name, members, f"FORMAT.md does not name this member of a {kind} in {where}")
            self.seen[kind].add(name)
            inner = members[name][0]
            if inner in SIMPLE_TYPES:
                self.assertTrue(SIMPLE_TYPES[inner](content), f"{kind}.{name} in {where}: {content}")
                continue
            elements = content if inner.startswith("array of ") else [content]
            for element in elements:
                self.walk(inner.removeprefix("array of "), element, where)
        for name, (_, may_be_absent) in members.items():
            if name not in value:
                self.assertTrue(may_be_absent, f"{kind}.{name} is absent in {where}")
                self.left_out[kind].add(name)

    def walk_file(self, path):
        for at, line in enumerate(parsed(path)):
            self.walk(kind_of(path, at, line), line, f"{path.name}, line {at + 1}")

    def walk_export(self):
        for kind, line in export_of(self.maker):
            self.walk(kind, read_store.parse(line), "an export")

    def test_tables_name_what_the_files_hold_and_nothing_else(self):
        for name in make_all_kinds(self.maker):
            for path in self.maker.runtime(name).rglob("*.json*"):
                self.walk_file(path)
        self.walk_export()
        for kind, members in self.tables.items():
            self.assertEqual(self.seen[kind], set(members), f"members of a {kind}")
            optional = {name for name, (_, may_be_absent) in members.items() if may_be_absent}
            if kind != "limits":
                self.assertEqual(self.left_out[kind], optional, f"members that a {kind} may lack")

    def test_example_lines_check(self):
        examples = [line for block in self.code("") for line in block.splitlines() if line.startswith('{"crc"')]
        self.assertGreaterEqual(len(examples), 8)
        for example in examples:
            line = example.encode("utf-8") + b"\n"
            self.assertIsNotNone(read_store.checksum(line), example)
        for kind in ("event", "entry", "Worker", "tombstone", "catalog header", "runtime", "segment header",
                     "journal record"):
            candidates = [read_store.parse(line.encode() + b"\n") for line in examples]
            self.assertTrue(any(self.is_one(kind, line) for line in candidates), f"no example of a {kind}")

    def is_one(self, kind, value):
        required = {name for name, (_, may_be_absent) in self.tables[kind].items() if not may_be_absent}
        return required <= set(value) <= set(self.tables[kind])

    def test_example_of_durable(self):
        [line] = [line for block in self.code("") for line in block.splitlines() if re.match(r"[0-9a-f]{16} ", line)]
        self.assertEqual(len(line), 58)
        self.assertEqual(line[50:], f"{read_store.crc32c(line[:50].encode()):08x}")

    def test_checking_by_hand(self):
        runtime = self.maker.closed("s", stores.EVERYTHING)
        [program] = self.code("python")
        files = [str(path) for path in runtime.rglob("*.json*")]
        command = [sys.executable, "-c", program, *files]
        self.assertEqual(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout, b"")
        events = runtime / "events.jsonl"
        data = bytearray(events.read_bytes())
        data[data.find(b"runtime started")] ^= 1
        events.write_bytes(data)
        done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60)
        self.assertEqual(done.stdout, f"{events}:1: does not check\n")

    def test_recipes(self):
        runtime = self.maker.closed("s", stores.EVERYTHING)
        self.maker.killed("s", [stores.send("mail", "in the journal")])
        [block, _] = self.code("sh")
        for recipe in block.splitlines():
            with self.subTest(recipe):
                done = subprocess.run(["bash", "-o", "pipefail", "-c", recipe], cwd=runtime, capture_output=True,
                                      text=True, timeout=60)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertNotEqual(done.stdout, "")

    def test_request_by_hand(self):
        runtime = self.maker.closed("s", stores.EVERYTHING)
        [_, block] = self.code("sh")
        *asking, looking = block.splitlines()
        with self.maker.start("s") as host:
            self.maker.ask(host, [{"op": "version"}])  # it is open
            waiting = 'until [ -e "requests/$session.mine.answer" ]; do :; done'
            script = "\n".join(["set -eu", *asking, waiting, looking])
            done = subprocess.run(["bash", "-c", script], cwd=runtime, capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertTrue(done.stdout.startswith('{"id":null,"ok":{"worker_ref":'), done.stdout)
            host.stdin.close()
            self.assertEqual(host.wait(timeout=60), 0)

    def test_schemas_are_made_from_the_document(self):
        made = schemas.generate(DOCUMENT)
        there = {path.name: path.read_text(encoding="utf-8") for path in (SOURCE / "docs/schema").glob("*.json")}
        self.assertEqual(there, made, "run docs/schema/generate.py")

    def test_encoding_of_ids(self):
        rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|$", DOCUMENT.split("## 6. Paths")[1], re.M)
        self.assertGreaterEqual(len(rows), 4)
        for worker_id, name in rows:
            self.assertEqual(read_store.encode_id(worker_id), name)


# ---- the schemas

class SchemaTest(StoreTest):
    def setUp(self):
        super().setUp()
        self.validators = {}
        if jsonschema is None:
            self.skipTest("this Python has no jsonschema")
        for kind in schemas.LINES:
            schema = schemas.line_schema(kind, schemas.tables(DOCUMENT))
            jsonschema.Draft202012Validator.check_schema(schema)
            self.validators[kind] = jsonschema.Draft202012Validator(schema)

    def lines(self):
        """Lines of real files, with their kinds."""
        for name in make_all_kinds(self.maker):
            for path in self.maker.runtime(name).rglob("*.json*"):
                for at, line in enumerate(path.read_bytes().splitlines()):
                    if line:
                        value = json.loads(line)
                        yield kind_of(path, at, value), value
        for kind, line in export_of(self.maker):
            yield kind, json.loads(line)

    def test_every_line_is_valid(self):
        seen = set()
        for kind, line in self.lines():
            self.validators[kind].validate(line)
            seen.add(kind)
        self.assertEqual(seen, set(schemas.LINES))

    def test_what_is_wrong_is_not(self):
        tried = set()
        for kind, line in self.lines():
            if kind in tried:
                continue
            tried.add(kind)
            is_valid = self.validators[kind].is_valid
            self.assertTrue(is_valid(line))
            for member in self.validators[kind].schema["required"]:
                self.assertFalse(is_valid({name: value for name, value in line.items() if name != member}), member)
            for member in line:
                self.assertFalse(is_valid({**line, member: None}), member)
            # A journal is not half understood; the rest keeps what a newer version wrote.
            self.assertEqual(is_valid({**line, "newer": 1}), kind not in schemas.OF_JOURNAL)
        self.assertEqual(tried, set(schemas.LINES))


if __name__ == "__main__":
    os.environ.pop("WORKER_RUNTIME_ROOT", None)
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
