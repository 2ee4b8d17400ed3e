// The Node binding of examples/node: binding_test.js WORKER_RUNTIME_JS ADDON.
'use strict';
const assert = require('assert');
const [binding, addon] = process.argv.slice(2);
const {open, WorkerRuntimeError} = require(binding);

async function refusedWith(code, promise) {
  await assert.rejects(promise, (error) => error instanceof WorkerRuntimeError && error.code === code);
}

const tests = {
  async answersAreValuesAndTextsAreWhole(runtime) {
    const contents = ['hello', 'Ünïcödé 😀', 'nul \0 inside', 'x'.repeat(1_000_000)];
    for (const content of contents) await runtime.call('send_input', {worker_id: 'a', kind: 'user', content});
    const {items} = await runtime.call('read_transcript', {worker_id: 'a'});
    assert.deepStrictEqual(items.map((each) => each.content), contents);
  },

  async errorsHaveTheirCodeAndFields(runtime) {
    await refusedWith('worker_not_found', runtime.call('stop_worker', {worker_id: 'b'}));
    await refusedWith('invalid_request', runtime.call('send_input', {worker_id: 'a'}));
    assert.throws(() => open(addon, {root: '/nowhere/at/all'}), {code: 'store_missing'});
    assert.throws(() => open(addon, {rot: 1}), {code: 'invalid_request'});
  },

  async manyAtOnceAreAllDone(runtime) {
    const sends = Array.from({length: 200}, (_, at) =>
      runtime.call('send_input', {worker_id: 'a', kind: 'user', content: String(at)}));
    const sequences = (await Promise.all(sends)).map((each) => each.sequence).sort((a, b) => a - b);
    assert.deepStrictEqual(sequences, Array.from({length: 200}, (_, at) => at + 1));
  },

  async aWaitLetsOthersWorkAndEndsWithTheClose(runtime) {
    const waited = runtime.call('wait_events', {from: 3, timeout_ms: 100_000});
    await runtime.call('send_input', {worker_id: 'a', kind: 'user', content: 'x'});
    assert.strictEqual((await waited).events[0].kind, 'worker_input_accepted');
    const ended = refusedWith('closed', runtime.call('wait_events', {from: 4, timeout_ms: 100_000}));
    await runtime.close();
    await ended;
    await refusedWith('closed', runtime.call('summary'));
    await runtime.close();
  },
};

async function main() {
  for (const [name, test] of Object.entries(tests)) {
    const runtime = open(addon);
    await runtime.call('create_worker', {worker_id: 'a', intent: {kind: 'assistant'}});
    await test(runtime);
    await runtime.close();
    console.log('passed', name);
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
