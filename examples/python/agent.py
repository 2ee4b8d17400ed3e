"""An agent loop in Python: agent.py LIBRARY. Every input is answered once, whatever dies in between."""
import sys
import tempfile

from worker_runtime import Runtime, RuntimeError


def answer_inputs(runtime, worker):
    """Answers the inputs that have no answer yet; the key of an answer names its input."""
    entries = runtime.call("read_transcript", worker_id=worker)["items"]
    for entry in entries:
        if entry["role"] == "user":
            runtime.call("append_output", worker_id=worker, role="assistant", content=entry["content"].upper(),
                         idempotency_key=f"answer-{entry['sequence']}")


def main(library):
    with tempfile.TemporaryDirectory() as root:
        with Runtime(library, root=root, create=True) as runtime:
            runtime.call("create_worker", worker_id="echo", intent={"kind": "assistant"})
            sent = [runtime.submit("send_input", worker_id="echo", kind="user", content=word)
                    for word in ("one", "two", "three")]
            for future in sent:
                future.result()
            answer_inputs(runtime, "echo")

        # Another process, another day: nothing is answered twice.
        with Runtime(library, root=root) as runtime:
            answer_inputs(runtime, "echo")
            for entry in runtime.call("read_transcript", worker_id="echo")["items"]:
                print(entry["sequence"], entry["role"], entry["content"])
            try:
                runtime.call("send_input", worker_id="nobody", kind="user", content="hello?")
            except RuntimeError as error:
                print(error)


if __name__ == "__main__":
    main(sys.argv[1])
