#!/usr/bin/env python3
"""The Python binding of examples/python: binding_test.py DIRECTORY LIBRARY."""
import concurrent.futures
import os
import sys
import tempfile
import threading
import unittest

DIRECTORY, LIBRARY = sys.argv[1:3]
sys.path.insert(0, DIRECTORY)
import worker_runtime  # noqa: E402


class BindingTest(unittest.TestCase):
    def setUp(self):
        self.runtime = worker_runtime.Runtime(LIBRARY)
        self.addCleanup(self.runtime.close)
        self.runtime.call("create_worker", worker_id="a", intent={"kind": "assistant"})

    def send(self, content):
        return self.runtime.call("send_input", worker_id="a", kind="user", content=content)

    def test_answers_are_values_and_texts_are_whole(self):
        for content in ("hello", "Ünïcödé \U0001f600", "nul \0 inside", 'quotes " and \\', "x" * 1_000_000):
            self.send(content)
        entries = self.runtime.call("read_transcript", worker_id="a")["items"]
        self.assertEqual([e["sequence"] for e in entries], [1, 2, 3, 4, 5])
        self.assertEqual(entries[2]["content"], "nul \0 inside")
        self.assertEqual(len(entries[4]["content"]), 1_000_000)

    def test_errors_have_their_code_and_fields(self):
        with self.assertRaises(worker_runtime.RuntimeError) as raised:
            self.send("x" * 2_000_000)
        self.assertEqual(raised.exception.code, "limit_exceeded")
        self.assertEqual(raised.exception.fields["what"], "input_bytes")
        for bad in ({"kind": "user"}, {"kind": "user", "content": "\ud800"}, {"kind": "user", "content": 7}):
            with self.assertRaises(worker_runtime.RuntimeError) as raised:
                self.runtime.call("send_input", worker_id="a", **bad)
            self.assertEqual(raised.exception.code, "invalid_request")

    def test_what_cannot_be_opened_says_why(self):
        for options, code in (({"root": "/nowhere/at/all"}, "store_missing"), ({"rot": 1}, "invalid_request")):
            with self.assertRaises(worker_runtime.RuntimeError) as raised:
                worker_runtime.Runtime(LIBRARY, **options)
            self.assertEqual(raised.exception.code, code)

    def test_submissions_complete_in_order_with_value_or_error(self):
        futures = [self.runtime.submit("send_input", worker_id="a", kind="user", content=str(n)) for n in range(200)]
        failing = self.runtime.submit("stop_worker", worker_id="nobody")
        concurrent.futures.wait(futures + [failing], timeout=60)
        self.assertEqual([f.result()["sequence"] for f in futures], list(range(1, 201)))
        self.assertEqual(failing.exception().code, "worker_not_found")

    def test_a_wait_lets_other_threads_work_and_ends_with_the_close(self):
        events = []
        ended = []

        def follow():
            try:
                for event in self.runtime.events(timeout_ms=100_000):
                    events.append(event)
            except worker_runtime.RuntimeError as error:
                ended.append(error.code)

        follower = threading.Thread(target=follow)
        follower.start()
        self.send("x")
        while len(events) < 3:
            follower.join(0.01)
        self.runtime.call("stop_worker", worker_id="a")
        while len(events) < 4:
            follower.join(0.01)
        self.runtime.close()
        follower.join()
        self.assertEqual(ended, ["closed"])
        self.assertEqual([e["kind"] for e in events][:3], ["runtime_started", "worker_created", "worker_input_accepted"])

    def test_a_store_outlives_a_process_that_only_ends(self):
        with tempfile.TemporaryDirectory() as root:
            child = os.fork()
            if child == 0:
                runtime = worker_runtime.Runtime(LIBRARY, root=root, create=True)
                runtime.call("create_worker", worker_id="b", intent={"kind": "assistant"})
                os._exit(0)
            self.assertEqual(os.waitpid(child, 0)[1], 0)
            with worker_runtime.Runtime(LIBRARY, root=root, read_only=True) as reader:
                self.assertEqual([w["worker_ref"]["worker_id"] for w in reader.call("list_workers")["workers"]], ["b"])

    def test_after_the_close_everything_is_refused(self):
        self.runtime.close()
        self.runtime.close()
        for use in (lambda: self.runtime.call("summary"), lambda: self.runtime.submit("stop_runtime").result()):
            with self.assertRaises(worker_runtime.RuntimeError) as raised:
                use()
            self.assertEqual(raised.exception.code, "closed")


unittest.main(argv=sys.argv[:1])
