#!/usr/bin/python3
"""Runs the benchmarks and writes docs/BENCHMARKS.md with its pictures. Usage: run.py PROGRAMS DOCS [--quick]

What is compared is measured in one run, in turns: machines drift, ratios stay. --quick is for trying this program: its
figures mean nothing. WORKER_RUNTIME_BENCH_DIRECTORY names a directory on the disk to measure, else it is the current one.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "bench", "font.size": 10, "axes.spines.top": False,
                            "axes.spines.right": False, "figure.figsize": (7.2, 3.4), "legend.frameon": False})
from matplotlib import pyplot  # noqa: E402

import tool  # noqa: E402

OURS = "worker-runtime"
COLOURS = {"limit": "#9aa0a6", OURS: "#0b6e4f", "LevelDB": "#c46a1b", "RocksDB": "#2f5fa8", "SQLite": "#8a4fa3",
           "LMDB": "#b03a48", "pipe": "#5aa88a"}
PARTS = {"plan_and_apply": "plan an input of 300 bytes, and apply it", "checksum/500": "CRC-32C of 500 bytes",
         "encode_commit": "encode its event, its entry and its record of the journal, with checksums",
         "checksum/65536": "CRC-32C of 64 KiB", "check_entry_line": "check the line of an entry",
         "decode_entry": "decode it", "decode_record": "decode the record of the journal",
         "any_page_of_256": "find, check and decode 256 entries amid 100,000"}
PEERS = ["limit", OURS, "LevelDB", "RocksDB", "SQLite", "LMDB"]


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{command[0]}: exit {done.returncode}: {done.stderr}")
    return done.stdout


def google(program, seconds):
    """The rows of a program of Google Benchmark."""
    return json.loads(run(program, "--benchmark_format=json", f"--benchmark_min_time={seconds}"))["benchmarks"]


def syncs(program, directory, name, operations):
    """Syncs and writes that one commit of one caller costs, counted from outside."""
    def count(number):
        with tempfile.NamedTemporaryFile("r") as out:
            run("strace", "-f", "-qq", "-c", "-e", "trace=fsync,fdatasync,msync,sync_file_range,write,pwrite64,pwritev,"
                "writev", "-o", out.name, program, "--directory", directory, "--only", name, "--operations", number)
            calls = {}
            for line in out:
                words = line.split()
                if len(words) > 4 and words[3].isdigit() and words[-1] != "total":
                    calls[words[-1]] = int(words[3])
            synced = sum(calls.get(call, 0) for call in ("fsync", "fdatasync", "msync"))
            return synced, sum(calls.values()) - synced
    few, many = count(operations), count(3 * operations)
    return [(after - before) / (2 * operations) for before, after in zip(few, many)]


# ---- words

def costs(program):
    """Instructions and heap allocations of an operation, for the thread that calls it."""
    rows = []
    for operation in ("send_input", "append_output"):
        for place in ("memory", "disk"):
            with tempfile.TemporaryDirectory() as scratch:
                where = "memory" if place == "memory" else scratch + "/store"
                done = subprocess.run(["valgrind", "--tool=callgrind", "--toggle-collect=measured",
                                       f"--callgrind-out-file={scratch}/out", str(program), where, operation, "1000"],
                                      capture_output=True, text=True, check=True)
            instructions = int(re.search(r"Collected : (\d+)", done.stderr)[1]) / 1000
            rows.append([f"`{operation}`", place, number(instructions, 0),
                         number(json.loads(done.stdout)["allocations"], 1)])
    return rows


def number(value, digits=None):
    if digits is None:
        digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    kind = run("stat", "-f", "-c", "%T", os.environ.get("WORKER_RUNTIME_BENCH_DIRECTORY", ".")).strip()
    compiler = run("c++", "--version").split("\n")[0]
    return (f"{datetime.date.today()}, {os.cpu_count()} processors ({model}), Linux {platform.release()}, "
            f"file system {kind.removesuffix('/ext3').replace('ext2', 'ext4')}, {compiler}, preset `bench`")


def versions():
    names = {"librocksdb-dev": "RocksDB", "libleveldb-dev": "LevelDB", "libsqlite3-dev": "SQLite", "liblmdb-dev": "LMDB"}
    shown = run("dpkg-query", "--show", "--showformat=${Package} ${Version}\n", *names).split("\n")
    return ", ".join(f"{names[line.split()[0].split(':')[0]]} {re.split('[-+]', line.split()[1])[0]}"
                     for line in shown if line)


# ---- tables

class SideBySide:
    def __init__(self, measured):
        self.rows = measured["rows"]

    def row(self, name, callers, in_flight=None):
        return next(row for row in self.rows if row["name"] == name and row["callers"] == callers and
                    row["in_flight"] == (in_flight or callers))

    def callers_table(self, callers):
        limit = self.row("limit", callers)
        return table(["store", "p50 µs", "p99 µs", "p99.9 µs", "a second", "p50 of the limit's", "throughput of the limit's",
                      "bytes to the disk each"],
                     [[name if name != OURS else f"**{name}**", number(row["p50_us"]), number(row["p99_us"]),
                       number(row["p999_us"]), number(row["ops_per_second"], 0),
                       number(row["p50_us"] / limit["p50_us"]),
                       number(row["ops_per_second"] / limit["ops_per_second"]), number(row["device_bytes"], 0)]
                      for name, row in ((name, self.row(name, callers)) for name in PEERS)])

    def flight_table(self):
        limit = self.row("limit", 64)
        return table(["one thread", "in flight", "a second", "of the limit of 64 blocking threads", "p50 µs", "p99 µs"],
                     [["`submit()`" if row["name"] == OURS else "`worker-runtime pipe`", str(row["in_flight"]),
                       number(row["ops_per_second"], 0), number(row["ops_per_second"] / limit["ops_per_second"]),
                       number(row["p50_us"]), number(row["p99_us"])]
                      for row in self.rows if row["callers"] == 1 and row["in_flight"] > 1])

    def draw(self, directory):
        figure, axes = pyplot.subplots()
        for at, name in enumerate(PEERS):
            speeds = [self.row(name, callers)["ops_per_second"] / self.row("limit", callers)["ops_per_second"]
                      for callers in (1, 8, 64)]
            axes.bar([group + at * 0.14 for group in range(3)], speeds, 0.13, color=COLOURS[name], label=name)
        axes.set_xticks([group + 0.35 for group in range(3)], ["1 caller", "8 callers", "64 callers"])
        axes.set_ylabel("durable inputs a second,\nof the limit of the disk")
        axes.legend(ncol=3, loc="upper center", bbox_to_anchor=(0.5, 1.22))
        save(figure, directory / "throughput.svg")
        figure, axes = pyplot.subplots()
        shares = ["p50_us", "p90_us", "p99_us", "p999_us"]
        for name in PEERS:
            axes.plot(range(4), [self.row(name, 1)[share] for share in shares], marker="o", color=COLOURS[name], label=name)
        axes.set_yscale("log")
        axes.set_xticks(range(4), ["p50", "p90", "p99", "p99.9"])
        axes.set_ylabel("one durable input, one caller (µs)")
        axes.legend(ncol=3, loc="upper center", bbox_to_anchor=(0.5, 1.22))
        save(figure, directory / "latency.svg")


def save(figure, path):
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


MEASURES = [("send_us", "`send_input` µs"), ("first_send_us", "the first to a Worker µs"),
            ("detail_us", "`worker_detail` µs"), ("list_us", "page of Workers µs"),
            ("tail_page_us", "last 256 events µs"), ("page_us", "any 256 events µs"), ("open_ms", "open ms"),
            ("open_mib", "memory after open MiB")]
DRAWN = {"send_us": "#0b6e4f", "detail_us": "#5aa88a", "list_us": "#2f5fa8", "tail_page_us": "#c46a1b",
         "page_us": "#8a4fa3"}


def growth_table(rows, what):
    return table([what] + [title for _, title in MEASURES],
                 [[number(row[what.lower()], 0)] + [number(row[name]) for name, _ in MEASURES]
                  for row in rows if row["grows"] == what.lower()])


def draw_growth(rows, directory):
    figure, both = pyplot.subplots(1, 2)
    for axes, what in zip(both, ("workers", "events")):
        chosen = [row for row in rows if row["grows"] == what]
        for name, title in MEASURES:
            if name in DRAWN:
                axes.plot([row[what] for row in chosen], [row[name] for row in chosen], marker="o", color=DRAWN[name],
                          label=title.replace("`", "").removesuffix(" µs"))
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel(what)
    both[0].set_ylabel("µs")
    figure.legend(*both[0].get_legend_handles_labels(), ncol=3, loc="upper center", bbox_to_anchor=(0.5, 1.14))
    figure.tight_layout()
    figure.savefig(directory / "growth.svg", metadata={"Date": None}, bbox_inches="tight")
    pyplot.close(figure)


def pages_table(pages):
    return table(["any page of 256", "µs", "SQLite µs", "ratio"],
                 [[page["what"], number(page["us"]), number(page["sqlite_us"]), number(page["us"] / page["sqlite_us"])]
                  for page in pages])


def histories_table(measured):
    readers, recovery, creation = measured["readers"], measured["recovery"], measured["creation"]
    return table(["", "", "beside", "ratio"], [
        ["inputs a second of one caller, beside 16 readers that take "
         f"{number(readers['processors'])} processors ({number(readers['pages_per_second'], 0)} pages a second); without them",
         number(readers["beside_per_second"], 0), number(readers["alone_per_second"], 0),
         number(readers["beside_per_second"] / readers["alone_per_second"])],
        ["the same, beside 16 threads that compute as much and read nothing",
         number(readers["beside_others_per_second"], 0), number(readers["alone_per_second"], 0),
         number(readers["beside_others_per_second"] / readers["alone_per_second"])],
        [f"opening behind a process that died with 64 MiB of journal, {number(recovery['inputs'], 0)} inputs",
         f"{number(recovery['ms'], 0)} ms", "–", "–"],
        [f"{number(creation['workers'], 0)} Workers in batches of 64, until closed; as many bare directories with a file",
         f"{number(creation['s'])} s", f"{number(creation['bare_s'])} s", number(creation["s"] / creation["bare_s"])]])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("docs", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    programs, docs = arguments.programs, arguments.docs
    place = os.environ.get("WORKER_RUNTIME_BENCH_DIRECTORY", ".")
    pictures = docs / "pictures"
    pictures.mkdir(exist_ok=True)
    side_by_side = programs / "bench_side_by_side"
    seconds = 0.2 if arguments.quick else 10
    together = SideBySide(json.loads(run(side_by_side, "--directory", place, "--seconds", seconds)))
    counted = {name: syncs(side_by_side, place, name, 20 if arguments.quick else 100) for name in PEERS}
    events = ["--events", 1000, "--events", 10000] if arguments.quick else []
    grown = json.loads(run(programs / "bench_growth", "--directory", place, *events))
    long_ago = json.loads(run(programs / "bench_histories", "--directory", place,
                              *(["--entries", 100000, "--workers", 1000, "--seconds", 1] if arguments.quick else [])))
    memory = google(programs / "bench_memory", 0.01 if arguments.quick else 1)
    parts = google(programs / "bench_parts", 0.01 if arguments.quick else 0.3)
    libraries = google(programs / "bench_fs_json_libraries", 0.01 if arguments.quick else 0.3)
    with tempfile.TemporaryDirectory(dir=place) as scratch:
        size = 2 << (20 if arguments.quick else 30)
        large = tool.measure(programs / "worker-runtime", pathlib.Path(scratch), size, 1 if arguments.quick else 3)
    together.draw(pictures)
    draw_growth(grown, pictures)
    words = {
        "machine": machine(), "versions": versions(), "one": together.callers_table(1),
        "eight": together.callers_table(8), "many": together.callers_table(64), "flight": together.flight_table(),
        "syncs": table(["store", "syncs a commit", "other writing calls a commit"],
                       [[name, number(each[0]), number(each[1])] for name, each in counted.items()]),
        "workers": growth_table(grown, "Workers"), "events": growth_table(grown, "Events"),
        "pages": pages_table(long_ago["pages"]), "histories": histories_table(long_ago),
        "memory": table(["live Workers", "`send_input`"],
                        [[number(int(row["name"].split("/")[1]), 0) if "/" in row["name"] else "none: the text, kept",
                          f"{row['cpu_time'] / 1000:.2f} µs"] for row in memory]),
        "parts": table(["part", "time", "bytes a second"],
                       [[PARTS[row["name"]], f"{row['cpu_time']:,.0f} ns",
                         f"{row['bytes_per_second'] / 1e9:.1f} GB" if "bytes_per_second" in row else "–"]
                        for row in parts]),
        "costs": table(["operation", "store", "instructions", "allocations"], costs(programs / "bench_cost")),
        "tool": table(["command", "time", "memory", "beside", "its time", "ratio"],
                      [[name, f"{number(ours)} s", f"{number(peak)} MiB", rival or "–",
                        f"{number(theirs)} s" if theirs else "–", number(ours / theirs) if theirs else "–"]
                       for name, ours, peak, rival, theirs in large]),
        "libraries": table(["", "time"], [[row["name"].replace("_", " "), f"{row['cpu_time']:.0f} ns"]
                                          for row in libraries]),
    }
    template = (pathlib.Path(__file__).parent / "report.md").read_text()
    (docs / "BENCHMARKS.md").write_text(re.sub(r"\{(\w+)\}", lambda match: words[match[1]], template))


if __name__ == "__main__":
    main()
