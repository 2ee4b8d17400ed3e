/* worker-runtime in Node: an addon over the C interface. Requests and answers are texts here;
 * worker_runtime.js makes them values. Node-API alone, so one build serves all versions of Node. */
#include <node_api.h>
#include <stdlib.h>
#include <string.h>
#include <worker_runtime.h>

/* A text argument, to be freed; NULL if it is none. */
static char* text_of(napi_env env, napi_value value) {
  size_t bytes = 0;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &bytes) != napi_ok) return NULL;
  char* const text = malloc(bytes + 1);
  if (text != NULL) napi_get_value_string_utf8(env, value, text, bytes + 1, &bytes);
  return text;
}

static napi_value value_of(napi_env env, const char* text) {
  napi_value value = NULL;
  napi_create_string_utf8(env, text == NULL ? "" : text, NAPI_AUTO_LENGTH, &value);
  return value;
}

static worker_runtime_handle* handle_of(napi_env env, napi_value value) {
  void* handle = NULL;
  if (napi_get_value_external(env, value, &handle) != napi_ok) return NULL;
  return handle;
}

static void destroy(napi_env env, void* handle, void* hint) {
  (void)env;
  (void)hint;
  worker_runtime_destroy(handle);
}

/* open(options): a handle, or the error as a text. */
static napi_value open_runtime(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  napi_value result;
  napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
  char* const options = text_of(env, argument);
  char* error = NULL;
  worker_runtime_handle* const handle = worker_runtime_open(options, &error);
  free(options);
  if (handle == NULL) {
    result = value_of(env, error);
    worker_runtime_free(error);
  } else {
    napi_create_external(env, handle, destroy, NULL, &result);
  }
  return result;
}

/* A call that waits, on a thread of Node's pool, while Node goes on. */
struct call {
  worker_runtime_handle* handle;
  char* request; /* NULL: close */
  char* answer;
  napi_async_work work;
  napi_deferred deferred;
  napi_ref keeps_open; /* the handle lives as long as the call */
};

static void perform(napi_env env, void* data) {
  struct call* const call = data;
  (void)env;
  call->answer = call->request == NULL ? worker_runtime_close(call->handle)
                                       : worker_runtime_call(call->handle, call->request);
}

static void complete(napi_env env, napi_status status, void* data) {
  struct call* const call = data;
  (void)status;
  napi_resolve_deferred(env, call->deferred, value_of(env, call->answer));
  worker_runtime_free(call->answer);
  napi_delete_reference(env, call->keeps_open);
  napi_delete_async_work(env, call->work);
  free(call->request);
  free(call);
}

/* call(handle, request), close(handle): a promise of the answer. */
static napi_value begin(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  napi_value promise;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  struct call* const call = calloc(1, sizeof *call);
  if (call == NULL || (call->handle = handle_of(env, arguments[0])) == NULL) {
    free(call);
    napi_throw_type_error(env, NULL, "not an open runtime");
    return NULL;
  }
  if (count > 1) call->request = text_of(env, arguments[1]);
  if (count > 1 && call->request == NULL) {
    free(call);
    napi_throw_type_error(env, NULL, "a request is a text");
    return NULL;
  }
  napi_create_reference(env, arguments[0], 1, &call->keeps_open);
  napi_create_promise(env, &call->deferred, &promise);
  napi_create_async_work(env, NULL, value_of(env, "worker_runtime"), perform, complete, call,
                         &call->work);
  napi_queue_async_work(env, call->work);
  return promise;
}

static napi_value init(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      {"open", NULL, open_runtime, NULL, NULL, NULL, napi_enumerable, NULL},
      {"call", NULL, begin, NULL, NULL, NULL, napi_enumerable, NULL},
      {"close", NULL, begin, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_define_properties(env, exports, sizeof functions / sizeof functions[0], functions);
  return exports;
}

NAPI_MODULE(NODE_GYP_MODULE_NAME, init)
