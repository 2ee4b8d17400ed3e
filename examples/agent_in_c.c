/* An agent over the C interface: agent_in_c DIRECTORY. docs/C.md quotes the marked region. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker_runtime.h"

static int failed = 0;

/* Prints the answer and gives it back. */
static void show(char* answer) {
  if (answer == NULL || strstr(answer, "\"ok\":") == NULL) failed = 1;
  fputs(answer == NULL ? "out of memory\n" : answer, stdout);
  worker_runtime_free(answer);
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  char options[4096];
  snprintf(options, sizeof options, "{\"root\":\"%s\",\"create\":true}", argv[1]);
  // [agent]
  char* error = NULL;
  worker_runtime_handle* runtime = worker_runtime_open(options, &error);
  if (runtime == NULL) {
    fputs(error, stderr); /* {"id":null,"error":{"code":"store_locked",...}} */
    worker_runtime_free(error);
    return 1;
  }
  show(worker_runtime_call(runtime,
                           "{\"op\":\"create_worker\",\"worker_id\":\"helper\","
                           "\"intent\":{\"kind\":\"assistant\"},\"idempotency_key\":\"helper\"}"));
  /* When a call returns, what it did is on the disk, whatever happens next. */
  show(worker_runtime_call(runtime,
                           "{\"op\":\"send_input\",\"worker_id\":\"helper\",\"kind\":\"user\","
                           "\"content\":\"What is a journal?\"}"));
  show(worker_runtime_call(runtime, "{\"op\":\"read_transcript\",\"worker_id\":\"helper\"}"));
  show(worker_runtime_close(runtime));
  worker_runtime_destroy(runtime);
  // [/agent]
  return failed;
}
