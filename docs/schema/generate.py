#!/usr/bin/env python3
"""The JSON Schemas of a store's lines, made from the tables of docs/FORMAT.md. Usage: generate.py

Writes one file a kind of line beside itself. What a table says in words alone (numbers are dense, times never go
back, what an `import` holds) no schema says.
"""
import json
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
DRAFT = "https://json-schema.org/draft/2020-12/schema"

# Kind of line -> where it stands. Those of the journal are refused with a member that is unknown, all others keep it.
LINES = {
    "event": "a line of events.jsonl",
    "entry": "a line of transcript.jsonl",
    "Worker": "a line of catalog.<lsn>.jsonl; worker.json",
    "tombstone": "a line of catalog.<lsn>.jsonl",
    "catalog header": "the first line of catalog.<lsn>.jsonl",
    "runtime": "runtime.json",
    "segment header": "the first line of journal/<first lsn>.jsonl",
    "journal record": "a line of journal/<first lsn>.jsonl that is not empty",
    "export header": "the first line of an export",
    "export end": "the last line of an export",
}
OF_JOURNAL = {"segment header", "journal record"}

SIMPLE = {
    "integer": {"type": "integer", "minimum": 0, "maximum": 2 ** 64 - 1},
    "text": {"type": "string"},
    "id": {"type": "string", "minLength": 1, "maxLength": 80},
    "time": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"},
    "hex8": {"type": "string", "pattern": "^[0-9a-f]{8}$"},
    "boolean": {"type": "boolean"},
    "object": {"type": "object"},
    "counters": {"type": "object",
                 "additionalProperties": {"type": "integer", "minimum": 0, "maximum": 2 ** 53 - 1}},
}


def tables(document):
    """Kind -> {member: (type, when it is absent, meaning)}."""
    found, kind = {}, None
    for line in document.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and cells[1:3] == ["type", "absent"]:
            kind = cells[0]
            found[kind] = {}
        elif not line.startswith("|"):
            kind = None
        elif kind and not cells[0].startswith("--"):
            found[kind][cells[0].strip("`")] = tuple(cells[1:4])
    return found


def names_in(text):
    return re.findall(r"`([a-z_]+)`", text)


def member_schema(kind_of_value, meaning, used):
    if kind_of_value.startswith("array of "):
        return {"type": "array", "items": member_schema(kind_of_value.removeprefix("array of "), "", used)}
    if kind_of_value not in SIMPLE:
        used.append(kind_of_value)
        return {"$ref": "#/$defs/" + kind_of_value.replace(" ", "-")}
    schema = dict(SIMPLE[kind_of_value])
    # A meaning that begins with names lists all values there are.
    listed = re.match(r"(`[a-z_]+` ?)+(:|$)", meaning)
    if kind_of_value == "text" and listed:
        schema["enum"] = names_in(listed.group())
    return schema


def object_schema(members, closed, used):
    schema = {"type": "object", "properties": {}, "required": []}
    for name, (kind_of_value, absent, meaning) in members.items():
        schema["properties"][name] = member_schema(kind_of_value, meaning, used)
        if absent == "–":
            schema["required"].append(name)
        elif re.fullmatch("with `[a-z_]+`( or `[a-z_]+`)*", absent):
            others = names_in(absent)
            if not set(others) <= set(members):
                continue  # a value of another member
            schema["oneOf"] = [{"required": [one]} for one in sorted((name, *others))]
        elif re.fullmatch("without `[a-z_]+`", absent):
            [other] = names_in(absent)
            schema["dependentRequired"] = {name: [other], other: [name]}
    if closed:
        schema["additionalProperties"] = False
    return schema


def line_schema(kind, all_tables):
    closed = kind in OF_JOURNAL
    wanted, definitions = [], {}
    body = object_schema(all_tables[kind], closed, wanted)
    while wanted:
        inner = wanted.pop()
        name = inner.replace(" ", "-")
        if name not in definitions:
            definitions[name] = {}  # it may name itself
            definitions[name] = object_schema(all_tables[inner], closed, wanted)
    body["properties"] = {"crc": dict(SIMPLE["hex8"]), **body["properties"]}
    body["required"] = ["crc", *body["required"]]
    schema = {"$schema": DRAFT, "$id": "urn:worker-runtime:schema-1:" + kind.lower().replace(" ", "-"),
              "title": f"{kind}: {LINES[kind]}", **body}
    if definitions:
        schema["$defs"] = dict(sorted(definitions.items()))
    return schema


def generate(document):
    """File name -> text."""
    all_tables = tables(document)
    return {kind.lower().replace(" ", "-") + ".schema.json":
            json.dumps(line_schema(kind, all_tables), indent=2, ensure_ascii=False) + "\n" for kind in LINES}


if __name__ == "__main__":
    for file_name, text in generate((HERE.parent / "FORMAT.md").read_text(encoding="utf-8")).items():
        (HERE / file_name).write_text(text, encoding="utf-8")
