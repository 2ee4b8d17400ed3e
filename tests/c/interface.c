/* The C interface from C: run with an empty directory as its argument. */
#define _POSIX_C_SOURCE 200809L
#include "worker_runtime.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;

static void check(int holds, int line, const char* text) {
  if (holds) return;
  fprintf(stderr, "interface.c:%d: not so: %s\n", line, text);
  ++failures;
}

/* Whether the answer is there and has the text in it. Takes the answer. */
static void expect(char* answer, const char* text, int line) {
  check(answer != NULL && strstr(answer, text) != NULL, line, text);
  if (answer != NULL && strstr(answer, text) == NULL) fprintf(stderr, "  in: %s", answer);
  worker_runtime_free(answer);
}

static void refused(const char* options, const char* text, int line) {
  char* error = NULL;
  worker_runtime_handle* const runtime = worker_runtime_open(options, &error);
  check(runtime == NULL, line, "an open that is refused");
  worker_runtime_destroy(runtime);
  expect(error, text, line);
}

static worker_runtime_handle* opened(const char* options, int line) {
  char* error = NULL;
  worker_runtime_handle* const runtime = worker_runtime_open(options, &error);
  if (runtime == NULL) fprintf(stderr, "interface.c:%d: %s", line, error == NULL ? "?" : error);
  if (runtime == NULL) exit(1);
  check(error == NULL, line, "no error");
  return runtime;
}

static void create(worker_runtime_handle* runtime, const char* worker, int line) {
  char request[256];
  snprintf(request, sizeof request,
           "{\"op\":\"create_worker\",\"worker_id\":\"%s\",\"intent\":{\"kind\":\"assistant\"}}",
           worker);
  expect(worker_runtime_call(runtime, request), "\"ok\":{\"worker\":", line);
}

static void calls_and_errors(void) {
  worker_runtime_handle* const runtime = opened("{}", __LINE__);
  create(runtime, "a", __LINE__);
  expect(
      worker_runtime_call(runtime,
                          "{\"id\":7,\"op\":\"send_input\",\"worker_id\":\"a\",\"kind\":\"user\","
                          "\"content\":\"hi\\u0000\"}"),
      "{\"id\":7,\"ok\":{", __LINE__);
  expect(worker_runtime_call(runtime, "{\"op\":\"read_transcript\",\"worker_id\":\"a\"}"),
         "\"content\":\"hi\\u0000\"", __LINE__);
  expect(worker_runtime_call(runtime, "{\"op\":\"list_workers\"}"), "\"worker_id\":\"a\"",
         __LINE__);
  expect(worker_runtime_call(runtime, "{\"op\":\"summary\"}"), "\"summary\"", __LINE__);
  expect(worker_runtime_call(runtime, "{\"op\":\"metrics\"}"), "worker_runtime_", __LINE__);
  expect(worker_runtime_call(runtime,
                             "{\"op\":\"fork_worker\",\"worker_id\":\"a\",\"at\":1,\"as\":\"b\"}"),
         "\"worker_id\":\"b\"", __LINE__);
  expect(worker_runtime_call(runtime, "{\"op\":\"wait_events\",\"from\":1,\"timeout_ms\":0}"),
         "\"events\":[", __LINE__);
  expect(worker_runtime_call(runtime, "{\"op\":\"batch\",\"ops\":[]}"), "\"ok\"", __LINE__);
  expect(worker_runtime_call(runtime, "{\"op\":\"stop_worker\",\"worker_id\":\"x\"}"),
         "\"code\":\"worker_not_found\"", __LINE__);
  expect(worker_runtime_call(runtime, "no JSON"), "\"code\":\"invalid_request\"", __LINE__);
  expect(worker_runtime_call(runtime, ""), "\"code\":\"invalid_request\"", __LINE__);
  expect(worker_runtime_call(runtime, NULL), "\"code\":\"invalid_request\"", __LINE__);
  expect(worker_runtime_close(runtime), "{\"id\":null,\"ok\":{}}\n", __LINE__);
  expect(worker_runtime_call(runtime, "{\"op\":\"summary\"}"), "\"code\":\"closed\"", __LINE__);
  expect(worker_runtime_close(runtime), "\"code\":\"closed\"", __LINE__);
  worker_runtime_destroy(runtime);
  worker_runtime_destroy(NULL);
  worker_runtime_free(NULL);
  check(strchr(worker_runtime_version(), '.') != NULL, __LINE__, "a version");
}

static void bad_options(void) {
  refused(NULL, "\"code\":\"invalid_request\"", __LINE__);
  refused("", "\"code\":\"invalid_request\"", __LINE__);
  refused("[]", "\"code\":\"invalid_request\"", __LINE__);
  refused("{} x", "\"code\":\"invalid_request\"", __LINE__);
  refused("{\"rot\":\"x\"}", "unknown member \\\"rot\\\"", __LINE__);
  refused("{\"root\":\"\"}", "not a path", __LINE__);
  refused("{\"root\":\"a\\u0000b\"}", "not a path", __LINE__);
  refused("{\"root\":7}", "\"code\":\"invalid_request\"", __LINE__);
  refused("{\"root\":\"x\",\"durability\":\"fast\"}", "sync, interval and none", __LINE__);
  refused("{\"root\":\"x\",\"lock_wait_ms\":99999999999}", "longer than a year", __LINE__);
  refused("{\"limits\":{\"pages\":1}}", "\"code\":\"invalid_request\"", __LINE__);
  refused("{\"create\":true}", "without \\\"root\\\"", __LINE__);
  refused("{\"root\":\"x\",\"read_only\":true,\"create\":true}", "to a reader", __LINE__);
  refused("{\"root\":\"/nowhere\",\"runtime_id\":\"main\"}", "\"code\":\"store_missing\"",
          __LINE__);
  check(worker_runtime_open("", NULL) == NULL, __LINE__, "an error that nobody asks for");
}

struct call {
  worker_runtime_handle* runtime;
  const char* request;
};

static void* do_call(void* context) {
  const struct call* const call = context;
  return worker_runtime_call(call->runtime, call->request);
}

/* A wait in another thread ends with the close, whichever of them is first. */
static void expect_wait_to_end(worker_runtime_handle* runtime, const char* request, int line) {
  struct call call = {runtime, request};
  pthread_t thread;
  void* answer = NULL;
  check(pthread_create(&thread, NULL, do_call, &call) == 0, line, "a thread");
  expect(worker_runtime_close(runtime), "\"ok\"", line);
  pthread_join(thread, &answer);
  expect(answer, "\"code\":\"closed\"", line);
}

/* A store: written, read beside its writer, opened again. */
static void stores(const char* root) {
  char writing[4096];
  char reading[4096];
  snprintf(writing, sizeof writing,
           "{\"root\":\"%s\",\"create\":true,\"display_name\":\"Agents\",\"serve_requests\":true,"
           "\"limits\":{\"page_items\":2},\"checkpoint_interval_ms\":1000}",
           root);
  snprintf(reading, sizeof reading, "{\"root\":\"%s\",\"read_only\":true}", root);
  worker_runtime_handle* const writer = opened(writing, __LINE__);
  create(writer, "a", __LINE__);
  refused(writing, "\"code\":\"store_locked\"", __LINE__);

  worker_runtime_handle* const reader = opened(reading, __LINE__);
  expect(worker_runtime_call(reader, "{\"op\":\"summary\"}"), "\"Agents\"", __LINE__);
  create(writer, "b", __LINE__);
  expect(worker_runtime_call(reader, "{\"op\":\"wait_events\",\"from\":2,\"timeout_ms\":9000}"),
         "\"worker_id\":\"b\"", __LINE__);
  expect(worker_runtime_call(reader, "{\"op\":\"worker_detail\",\"worker_id\":\"b\"}"),
         "\"worker_id\":\"b\"", __LINE__);
  expect(worker_runtime_call(reader, "{\"op\":\"checkpoint\"}"), "for reading only", __LINE__);
  expect(worker_runtime_call(reader, "{\"op\":\"stop_runtime\"}"), "for reading only", __LINE__);
  expect(worker_runtime_call(writer, "{\"op\":\"checkpoint\"}"), "\"lsn\":", __LINE__);
  expect_wait_to_end(reader, "{\"op\":\"wait_events\",\"from\":3,\"timeout_ms\":100000}", __LINE__);
  expect(worker_runtime_call(reader, "{\"op\":\"summary\"}"), "\"code\":\"closed\"", __LINE__);
  worker_runtime_destroy(reader);

  expect(worker_runtime_close(writer), "\"ok\"", __LINE__);
  worker_runtime_destroy(writer);
  worker_runtime_handle* const again = opened(writing, __LINE__);
  expect(worker_runtime_call(again, "{\"op\":\"list_workers\"}"), "\"worker_id\":\"b\"", __LINE__);
  /* Without a close: as in a crash. */
  worker_runtime_destroy(again);
}

struct counted {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  int done;
  int ok;
  int refused;
};

static void count(void* context, const char* answer) {
  struct counted* const counted = context;
  pthread_mutex_lock(&counted->mutex);
  ++counted->done;
  if (strstr(answer, "\"ok\":") != NULL) ++counted->ok;
  if (strstr(answer, "\"error\":") != NULL) ++counted->refused;
  pthread_cond_signal(&counted->changed);
  pthread_mutex_unlock(&counted->mutex);
}

static void submissions(void) {
  enum { inputs = 500 };
  struct counted counted = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0};
  worker_runtime_handle* const runtime = opened("{}", __LINE__);
  create(runtime, "a", __LINE__);
  for (int at = 0; at < inputs; ++at) {
    worker_runtime_submit(
        runtime, "{\"op\":\"send_input\",\"worker_id\":\"a\",\"kind\":\"user\",\"content\":\"x\"}",
        count, &counted);
  }
  worker_runtime_submit(runtime,
                        "{\"op\":\"batch\",\"ops\":[{\"op\":\"stop_worker\",\"worker_id\":\"a\"}]}",
                        count, &counted);
  worker_runtime_submit(runtime, "{\"op\":\"summary\"}", count, &counted);
  worker_runtime_submit(runtime, "{", count, &counted);
  worker_runtime_submit(runtime, NULL, count, &counted);
  pthread_mutex_lock(&counted.mutex);
  while (counted.done < inputs + 4) pthread_cond_wait(&counted.changed, &counted.mutex);
  pthread_mutex_unlock(&counted.mutex);
  check(counted.ok == inputs + 1, __LINE__, "all that could be done");
  check(counted.refused == 3, __LINE__, "what could not be submitted");
  expect(worker_runtime_close(runtime), "\"ok\"", __LINE__);
  worker_runtime_submit(runtime, "{\"op\":\"stop_runtime\"}", count, &counted);
  check(counted.refused == 4, __LINE__, "closed");
  worker_runtime_destroy(runtime);
}

static void waits_end(void) {
  worker_runtime_handle* const runtime = opened("{}", __LINE__);
  expect_wait_to_end(runtime, "{\"op\":\"wait_events\",\"from\":2,\"timeout_ms\":100000}",
                     __LINE__);
  worker_runtime_destroy(runtime);
}

static void* send_many(void* runtime) {
  for (int at = 0; at < 100; ++at) {
    worker_runtime_free(worker_runtime_call(
        runtime,
        "{\"op\":\"send_input\",\"worker_id\":\"a\",\"kind\":\"user\",\"content\":\"x\"}"));
  }
  return NULL;
}

static void many_threads(void) {
  enum { threads = 8 };
  pthread_t all[threads];
  worker_runtime_handle* const runtime = opened("{}", __LINE__);
  create(runtime, "a", __LINE__);
  for (int at = 0; at < threads; ++at) {
    check(pthread_create(&all[at], NULL, send_many, runtime) == 0, __LINE__, "a thread");
  }
  for (int at = 0; at < threads; ++at) pthread_join(all[at], NULL);
  expect(worker_runtime_call(runtime, "{\"op\":\"worker_detail\",\"worker_id\":\"a\"}"),
         "\"transcript_len\":800", __LINE__);
  worker_runtime_destroy(runtime);
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  calls_and_errors();
  bad_options();
  stores(argv[1]);
  submissions();
  waits_end();
  many_threads();
  return failures == 0 ? 0 : 1;
}
