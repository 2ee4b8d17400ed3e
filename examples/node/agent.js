// An agent loop in Node: agent.js ADDON DIRECTORY. Every input is answered once, whatever dies in between.
'use strict';
const {open} = require('./worker_runtime.js');

// Answers the inputs that have no answer yet; the key of an answer names its input.
async function answerInputs(runtime, worker_id) {
  const {items} = await runtime.call('read_transcript', {worker_id});
  for (const entry of items.filter((each) => each.role === 'user')) {
    await runtime.call('append_output', {
      worker_id,
      role: 'assistant',
      content: entry.content.toUpperCase(),
      idempotency_key: `answer-${entry.sequence}`,
    });
  }
}

async function main(addon, root) {
  const first = open(addon, {root, create: true});
  await first.call('create_worker', {worker_id: 'echo', intent: {kind: 'assistant'}});
  const words = ['one', 'two', 'three'];
  await Promise.all(words.map((content) => first.call('send_input', {worker_id: 'echo', kind: 'user', content})));
  await answerInputs(first, 'echo');
  await first.close();

  // Another process, another day: nothing is answered twice.
  const second = open(addon, {root});
  await answerInputs(second, 'echo');
  const {items} = await second.call('read_transcript', {worker_id: 'echo'});
  for (const entry of items) console.log(entry.sequence, entry.role, entry.content);
  for await (const event of second.events()) {
    if (event.id === items.length + 2) break;
  }
  try {
    await second.call('send_input', {worker_id: 'nobody', kind: 'user', content: 'hello?'});
    process.exitCode = 1;
  } catch (error) {
    console.log(error.message);
    if (error.code !== 'worker_not_found') process.exitCode = 1;
  }
  await second.close();
  if (items.length !== 6) process.exitCode = 1;
}

main(process.argv[2], process.argv[3]);
