"""worker-runtime in Python, over its C interface and ctypes. Requests and answers are those of `pipe`.

    with Runtime("libworker_runtime_c.so", root="/var/lib/agents", create=True) as runtime:
        runtime.call("create_worker", worker_id="helper", intent={"kind": "assistant"})
        runtime.call("send_input", worker_id="helper", kind="user", content="hello")
"""
import concurrent.futures
import ctypes
import itertools
import json

_DONE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)


class RuntimeError(Exception):
    """An operation was refused: `code` says why, `fields` has what a handler needs."""

    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['message']}")
        self.code = error["code"]
        self.fields = error


def _load(library):
    """The functions with their types. A text that they return stays a pointer: it has to be given back."""
    c = ctypes.CDLL(library)
    text = ctypes.c_char_p
    owned = handle = ctypes.c_void_p
    for name, result, arguments in (
            ("version", text, []),
            ("open", handle, [text, ctypes.POINTER(owned)]),
            ("call", owned, [handle, text]),
            ("submit", None, [handle, text, _DONE, ctypes.c_void_p]),
            ("close", owned, [handle]),
            ("destroy", None, [handle]),
            ("free", None, [owned])):
        function = getattr(c, "worker_runtime_" + name)
        function.restype, function.argtypes = result, arguments
    return c


def _value(answer):
    """What an answer holds; its error is raised."""
    if not answer:
        raise MemoryError("the outcome is unknown")
    answer = json.loads(answer)
    if "error" in answer:
        raise RuntimeError(answer["error"])
    return answer["ok"]


def _complete(future, answer):
    try:
        future.set_result(_value(answer))
    except Exception as error:  # whoever waits for the future gets it
        future.set_exception(error)


def _request(op, members):
    # None: a member that is not given. What JSON can't hold (NaN, a lone surrogate) is refused by the library.
    given = {name: value for name, value in members.items() if value is not None}
    return json.dumps({"op": op, **given}).encode()


class Runtime:
    """An open runtime, for any number of threads. `options` as docs/C.md lists them; without `root`, in memory."""

    def __init__(self, library="libworker_runtime_c.so.0.1", **options):
        self._handle, self._closed = None, True
        self._c = _load(library)
        self._waiting = waiting = {}  # what was submitted: number -> future
        self._numbers = itertools.count(1)
        # Kept as long as the library may call it; it does not keep the runtime.
        self._done = _DONE(lambda number, answer: _complete(waiting.pop(number), answer))
        error = ctypes.c_void_p()
        self._handle = self._c.worker_runtime_open(json.dumps(options).encode(), ctypes.byref(error))
        if not self._handle:
            _value(self._take(error.value))
        self._closed = False

    def call(self, op, **members):
        """Does an operation and returns its answer; a mutation is durable then."""
        return _value(self._take(self._c.worker_runtime_call(self._handle, _request(op, members))))

    def submit(self, op, **members):
        """Begins a mutation and returns a future: what is submitted meanwhile shares a sync."""
        request = _request(op, members)
        future = concurrent.futures.Future()
        number = next(self._numbers)
        self._waiting[number] = future
        self._c.worker_runtime_submit(self._handle, request, self._done, number)
        return future

    def events(self, start=1, timeout_ms=1000):
        """All events from `start` on, for ever; yields None when none came for `timeout_ms`."""
        while True:
            page = self.call("wait_events", **{"from": start}, timeout_ms=timeout_ms)
            yield from page["events"] or [None]
            start = page["next"]

    def close(self):
        """Completes what was submitted, and makes all durable."""
        if not self._closed:
            self._closed = True
            _value(self._take(self._c.worker_runtime_close(self._handle)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        # Here and not at the close: threads that still wait in a call keep the object, and so the handle.
        if self._handle:
            self._c.worker_runtime_destroy(self._handle)

    def _take(self, pointer):
        text = ctypes.string_at(pointer) if pointer else None
        self._c.worker_runtime_free(pointer)
        return text
