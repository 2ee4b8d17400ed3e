"""Stores made with the command-line tool, for the tests of the file format."""
import json
import pathlib
import shutil
import subprocess

ODD_IDS = (".hidden", "..", "a/b", "50 % é", "日本", "🙂", "x" * 80, "A%41")


def create(worker_id=None, **members):
    request = {"op": "create_worker", "intent": {"kind": "assistant"}, **members}
    return {**request, "worker_id": worker_id} if worker_id else request


def send(worker_id, content, **members):
    return {"op": "send_input", "worker_id": worker_id, "kind": "user", "content": content, **members}


def append(worker_id, content, **members):
    return {"op": "append_output", "worker_id": worker_id, "role": "assistant", "content": content, **members}


def simple(op, worker_id=None, **members):
    return {"op": op, **({"worker_id": worker_id} if worker_id else {}), **members}


# Every member that a file may have is in here somewhere.
MAIL = create("mail", display_name="Mail", idempotency_key="day-1/mail", intent={"kind": "task", "objective": "Sort it"},
              requested_capabilities=[{"name": "mail.read"}, {"name": "mail.draft", "reason": "drafts only"}])
EVERYTHING = [
    MAIL,
    send("mail", "Where is my order?", idempotency_key="day-1/1"),
    append("mail", "On its way.", name="draft", data={"lines": [1, 2.5, None, {"deep": {"er": "x"}}]},
           usage={"tokens_in": 120, "tokens_out": 9}, idempotency_key="day-1/2"),
    append("mail", "exit 0", role="tool", name="ship"),
    create("review", intent={"kind": "role", "role": "reviewer", "purpose": "Second pair of eyes"},
           profile={"kind": "builtin", "value": "careful"}, config_bundle={"id": "style-3"},
           workspace_refs=[{"name": "source", "reference": "git:main"}], mount_refs=[{"name": "tmp", "reference": ""}],
           idempotency_key="day-1/review"),
    create(intent={"kind": "assistant", "purpose": "Talk"}, profile={"kind": "named", "value": "mine"}),
    create(),
    send("worker-00000001", "line one\nline two\t\"quoted\" \\ \u0001 \u2028 \U0001f600 é", kind="system"),
    create("old", idempotency_key="day-1/old"),
    send("old", "soon gone"),
    simple("stop_worker", "old", reason="done with it"),
    simple("delete_worker", "old"),
    create(idempotency_key="day-1/generated"),
    simple("cancel_worker", "worker-00000003"),
    simple("delete_worker", "worker-00000003"),
    create("plain"),
    simple("stop_worker", "plain"),
    simple("delete_worker", "plain"),
    simple("cancel_worker", "review"),
    simple("batch", ops=[create("pair"), send("pair", "both"), append("pair", "or none", usage={"t": 2 ** 53 - 1}),
                         append("mail", "more", usage={"t": 5, "a": 1})]),
]
EVERYTHING += [simple("trim_transcript", "mail", before=2), simple("trim_events", before=4)]
EVERYTHING += [append("pair", "a secret", data={"se": "cret"}), simple("redact", "pair", sequence=3)]
EVERYTHING += [simple("fork_worker", "mail", at=3, **{"as": "fork"}, idempotency_key="fork")]
# What the journal alone has where the writer is killed.
BEHIND = [
    create("late", idempotency_key="late"),
    send("mail", "And now?"),
    *(create(worker_id) for worker_id in ODD_IDS),
    *(send(worker_id, f"to {worker_id}") for worker_id in ODD_IDS),
    append("pair", "and more", usage={"s": 1}),
    create("short-lived"),
    send("short-lived", "x"),
    simple("stop_worker", "short-lived"),
    simple("delete_worker", "short-lived"),
    simple("cancel_worker", "a/b", reason="why not"),
    simple("fork_worker", "mail", at=5, display_name="Another"),
    simple("fork_worker", "mail", at=0, **{"as": "empty"}),
    send("fork", "another way"),
    simple("trim_transcript", "mail", before=4),
    simple("trim_events", before=7),
    simple("redact", "fork", sequence=1),
    simple("redact", "a/b", sequence=1),
    simple("trim_transcript", "pair", before=5),  # all of it
    simple("stop_runtime"),
    simple("start_runtime"),
    create("last"),
    send("last", "the end"),
]


class StoreMaker:
    """Runtimes `main` below directories of their own."""

    def __init__(self, tool, directory):
        self.tool = str(tool)
        self.directory = pathlib.Path(directory)

    def root(self, name):
        return self.directory / name

    def runtime(self, name):
        return self.root(name) / "runtimes" / "main"

    def run(self, name, *arguments, expected=0, **options):
        done = subprocess.run([self.tool, "--root", str(self.root(name)), *arguments], capture_output=True, timeout=60,
                              **options)
        if done.returncode != expected:
            raise AssertionError(f"{arguments}: exit {done.returncode}: {done.stderr.decode()}")
        return done.stdout

    def lines(self, name, *arguments):
        return [json.loads(line) for line in self.run(name, "--json", *arguments).splitlines()]

    def start(self, name, *arguments):
        return subprocess.Popen([self.tool, "--root", str(self.root(name)), "pipe", *arguments],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    @staticmethod
    def ask(pipe, requests):
        """Every request must be done; their answers."""
        answers = []
        for request in requests:
            pipe.stdin.write(json.dumps({"id": 0, **request}).encode() + b"\n")
            pipe.stdin.flush()
            answers.append(json.loads(pipe.stdout.readline()))
            if "ok" not in answers[-1]:
                raise AssertionError(f"{request}: {answers[-1]}")
        return answers

    def closed(self, name, requests, *arguments):
        self.run(name, "init", "--display-name", "Main office", "--set", "page_items=100")
        with self.start(name, *arguments) as pipe:
            self.ask(pipe, requests)
            pipe.communicate(timeout=60)
        if pipe.returncode != 0:
            raise AssertionError(f"pipe: exit {pipe.returncode}")
        return self.runtime(name)

    def killed(self, name, requests, *arguments):
        """The writer dies by SIGKILL right behind the last answer."""
        pipe = self.start(name, *arguments)
        with pipe:
            try:
                self.ask(pipe, requests)
            finally:
                pipe.kill()
        return self.runtime(name)

    def copy(self, name, new_name):
        shutil.copytree(self.root(name), self.root(new_name))
        return self.runtime(new_name)
