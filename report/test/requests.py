"""Requests for `worker-runtime pipe` that make the stores of the page's tests: readable, or hostile."""

import json
import sys


def request(op, **members):
    print(json.dumps({"id": 0, "op": op, **members}))


def create(worker_id, name, objective):
    request("create_worker", worker_id=worker_id, display_name=name,
            intent={"kind": "task", "objective": objective},
            requested_capabilities=[{"name": "shell", "reason": "runs the tests"}])


def say(worker_id, content, kind="user"):
    request("send_input", worker_id=worker_id, kind=kind, content=content)


def answer(worker_id, content, role="assistant", **members):
    request("append_output", worker_id=worker_id, role=role, content=content, **members)


def readable():
    create("build-fixer", "Build fixer", "Find out why the nightly build fails, and mend it")
    say("build-fixer", "You may change anything under ci/, and nothing else.", kind="system")
    say("build-fixer", "The nightly build has failed since Tuesday. Please find out why.")
    answer("build-fixer", "I look at the log first.", usage={"tokens_in": 812, "tokens_out": 24})
    answer("build-fixer", "cmake: line 12: no such preset: release-lto", role="tool", name="read_log",
           data={"path": "ci/nightly.log", "lines": [118, 119], "exit": 0, "found": True, "next": None})
    answer("build-fixer", "The preset was renamed on Monday. This is the change:\n\n"
           "```diff\n- cmake --preset release-lto\n+ cmake --preset release\n```\n\n"
           "Shall I commit it?", usage={"tokens_in": 1204, "tokens_out": 96})
    say("build-fixer", "Yes, please.")
    answer("build-fixer", "\n".join(f"[{line:3}/282] Building CXX object" for line in range(1, 121)),
           role="tool", name="build")
    answer("build-fixer", "Done: all 1,297 tests pass.")
    for number in range(1, 25):
        worker_id = f"mail-{number:02}"
        create(worker_id, f"Mailbox {number}", f"Sort the mail of mailbox {number}")
        for letter in range(number % 5 + 1):
            say(worker_id, f"Letter {letter + 1}: where is my order {number}{letter}?")
            answer(worker_id, f"Order {number}{letter} is on its way.", usage={"tokens_out": 12})
    for number in range(1, 25, 3):
        request("stop_worker", worker_id=f"mail-{number:02}", reason="the mailbox is empty")
    request("cancel_worker", worker_id="mail-02", reason="by hand")


def hostile():
    script = "<script>window.ran = 1; alert(1)</script><img src=http://evil.test/x onerror=alert(2)>"
    create("</script><script>window.ran=1</script>", script, script + "\u202egnp.exe")
    texts = [
        script,
        "</script></html>" * 3,
        "javascript:alert(1) [x](javascript:alert(1)) <a href='javascript:alert(1)'>x</a>",
        "a\u0000b\u0007c\u001b[31mred\u009b",
        "\u202eright to left\u202c and \u2066isolated\u2069, شكرا جزيلا",
        "x" * 300_000,
        "\n" * 5_000 + "end",
        "```\n<b>never closed",
        "@REPORT_DATA@ @REPORT_TITLE@ $& $1 </title>",
        "\ufeff\u200f\ud7ff\ue000\U0010ffff",
    ]
    worker_id = "</script><script>window.ran=1</script>"
    for text in texts:
        say(worker_id, text)
        answer(worker_id, text, role="tool", name=script,
               data={script: [script, {"__proto__": {"x": 1}, "constructor": text[:100]}]})
    create("__proto__", "constructor", "toString")
    say("__proto__", "a name that is special to JavaScript")
    request("stop_worker", worker_id="__proto__", reason=script)


{"readable": readable, "hostile": hostile}[sys.argv[1]]()
