/* The C interface of worker-runtime, for C and for bindings of other languages.
 *
 * A runtime is an opaque handle; requests and answers are JSON, the same as those of
 * `worker-runtime pipe`, one object each: docs/CLI.md lists them, docs/C.md says how a runtime is
 * opened. No exception leaves a function.
 *
 * Texts are UTF-8 and end with NUL. A text that a function returns belongs to the caller, who gives
 * it back with worker_runtime_free(). Where memory runs out it is NULL, and an operation may have
 * been done.
 *
 * Any number of threads may use one handle, except that nothing may use it any more once
 * worker_runtime_destroy() was called. Open after fork(), not before.
 */
#ifndef WORKER_RUNTIME_H
#define WORKER_RUNTIME_H

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* An open runtime. */
typedef struct worker_runtime_handle worker_runtime_handle;

/* The version of the library, "1.2.3". */
const char* worker_runtime_version(void);

/* Opens a runtime, as the members of `options`, a JSON object, say: {} is one in memory,
 * {"root":"/var/lib/agents","create":true} one in files, with "read_only":true without its lock and
 * beside its writer.
 *
 * NULL: it was not opened; *error is then {"id":null,"error":{...}} and a newline. `error` may be
 * NULL. */
worker_runtime_handle* worker_runtime_open(const char* options, char** error);

/* Does one request and returns its answer: {"id":...,"ok":{...}} or {"id":...,"error":{...}}, and
 * a newline. A mutation is durable when this returns, as the runtime's durability says. Blocks as
 * long as that takes; wait_events until there are events, its timeout_ms passed, or the runtime is
 * closed. */
char* worker_runtime_call(worker_runtime_handle* runtime, const char* request);

/* Called once, from a thread of the library, with the answer, which is valid until the function
 * returns. It may submit; it must not call, close or destroy. */
typedef void (*worker_runtime_done)(void* context, const char* answer);

/* Submits a mutation or a batch and returns at once: what is submitted meanwhile shares a sync.
 * Submissions of one thread are done, and answered, in their order. A request that can't be
 * submitted (one that can't be read, a read, any of a runtime that is open for reading) is answered
 * before this returns. Where memory runs out the answer is an empty text. */
void worker_runtime_submit(worker_runtime_handle* runtime, const char* request,
                           worker_runtime_done done, void* context);

/* Completes what was submitted, makes all durable and lets the store go. Other threads that wait in
 * a call get the error `closed`, and so does every later call. Returns {"id":null,"ok":{}} or the
 * error, `closed` for a second close; nothing that was answered is lost in either case. Not from a
 * `done`. */
char* worker_runtime_close(worker_runtime_handle* runtime);

/* Releases the handle. Without worker_runtime_close() before, nothing more is written, as in a
 * crash. NULL is ignored. */
void worker_runtime_destroy(worker_runtime_handle* runtime);

/* Gives a returned text back. NULL is ignored. */
void worker_runtime_free(char* text);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
