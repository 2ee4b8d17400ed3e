// worker-runtime in Node. Requests and answers are those of `pipe`, as objects.
//
//   const runtime = open('worker_runtime.node', {root: '/var/lib/agents', create: true});
//   await runtime.call('create_worker', {worker_id: 'helper', intent: {kind: 'assistant'}});
'use strict';

// An operation was refused: `code` says why, the other members are what a handler needs.
class WorkerRuntimeError extends Error {
  constructor(error) {
    super(`${error.code}: ${error.message}`);
    Object.assign(this, error);
  }
}

function valueOf(answer) {
  if (answer === '') throw new Error('out of memory: the outcome is unknown');
  const {ok, error} = JSON.parse(answer);
  if (error) throw new WorkerRuntimeError(error);
  return ok;
}

class Runtime {
  #addon;
  #handle;
  #closed = false;

  constructor(addon, options) {
    this.#addon = require(require('path').resolve(addon));
    const opened = this.#addon.open(JSON.stringify(options));
    if (typeof opened === 'string') valueOf(opened);
    this.#handle = opened;
  }

  // Does an operation; a mutation is durable then. Calls at the same time share a sync, as many as
  // Node has threads (UV_THREADPOOL_SIZE): they are done in any order.
  async call(op, members = {}) {
    return valueOf(await this.#addon.call(this.#handle, JSON.stringify({...members, op})));
  }

  // Makes all durable, and lets the store go. Calls that wait are refused with `closed`.
  async close() {
    if (this.#closed) return;
    this.#closed = true;
    valueOf(await this.#addon.close(this.#handle));
  }

  // All events from `from` on, for ever. A wait takes one of Node's threads.
  async *events(from = 1, timeout_ms = 1000) {
    for (;;) {
      const page = await this.call('wait_events', {from, timeout_ms});
      yield* page.events;
      from = page.next;
    }
  }
}

exports.open = (addon, options = {}) => new Runtime(addon, options);
exports.WorkerRuntimeError = WorkerRuntimeError;
