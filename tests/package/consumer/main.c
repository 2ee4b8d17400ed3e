/* Somebody's program in C: a store under argv[1]. */
#include <stdio.h>
#include <string.h>
#include <worker_runtime.h>

int main(int argc, char** argv) {
  char options[4096];
  char* error = NULL;
  if (argc != 2) return 2;
  snprintf(options, sizeof options, "{\"root\":\"%s\",\"create\":true}", argv[1]);
  worker_runtime_handle* const runtime = worker_runtime_open(options, &error);
  if (runtime == NULL) {
    fputs(error, stderr);
    return 1;
  }
  char* const answer = worker_runtime_call(runtime, "{\"op\":\"summary\"}");
  const int good = answer != NULL && strstr(answer, "\"ok\":") != NULL;
  worker_runtime_free(answer);
  worker_runtime_free(worker_runtime_close(runtime));
  worker_runtime_destroy(runtime);
  return good ? 0 : 1;
}
