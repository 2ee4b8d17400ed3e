// Full-text search over names, transcripts, tool data, events and diagnostics: a plain look at all
// of it, in slices, so that the page stays awake.
import { useEffect, useState } from "preact/hooks";
import { count, shortTime } from "./format.js";
import { linkTo } from "./route.js";
import { Text, visible } from "./text.jsx";
import { VirtualList } from "./virtual.jsx";

const hitsMax = 2000;
const sliceMilliseconds = 12;

function* everything(report) {
  for (const worker of report.workers) {
    yield {
      text: `${worker.id} ${worker.display_name ?? ""} ${worker.purpose}`,
      where: { worker: worker.id }, label: "Worker", at: worker.created_at, who: worker.id,
    };
    for (const entry of worker.transcript) {
      yield {
        text: entry.content,
        more: (entry.name ?? "") + (entry.data === undefined ? "" : " " + JSON.stringify(entry.data)),
        where: { worker: worker.id, entry: entry.sequence },
        label: `${entry.role} #${entry.sequence}`, at: entry.at, who: worker.id,
      };
    }
  }
  for (const event of report.events) {
    yield { text: event.message, where: event.worker_id ? { worker: event.worker_id } : { view: "events" },
      label: `event ${event.id}`, at: event.at, who: event.worker_id ?? "runtime" };
  }
  for (const one of report.diagnostics) {
    yield { text: `${one.code} ${one.message}`, where: { view: "diagnostics" },
      label: `diagnostic ${one.id}`, at: one.at, who: one.worker_ref?.worker_id ?? "runtime" };
  }
}

function hitIn(item, wanted) {
  for (const text of [item.text, item.more]) {
    const at = text ? text.toLowerCase().indexOf(wanted) : -1;
    if (at < 0) continue;
    const from = Math.max(0, at - 60);
    return { ...item, before: (from > 0 ? "…" : "") + text.slice(from, at), found: text.slice(at, at + wanted.length),
      after: text.slice(at + wanted.length, at + wanted.length + 140) };
  }
  return null;
}

export function Search({ report, text }) {
  const [state, setState] = useState({ hits: [], done: false });
  useEffect(() => {
    const wanted = text.toLowerCase();
    const items = everything(report);
    const hits = [];
    let timer = 0;
    setState({ hits: [], done: wanted === "" });
    const slice = () => {
      const until = performance.now() + sliceMilliseconds;
      let next = { done: false };
      while (performance.now() < until && hits.length < hitsMax) {
        next = items.next();
        if (next.done) break;
        const hit = hitIn(next.value, wanted);
        if (hit) hits.push(hit);
      }
      const done = next.done || hits.length >= hitsMax;
      setState({ hits: hits.slice(), done });
      if (!done) timer = setTimeout(slice);
    };
    if (wanted !== "") timer = setTimeout(slice);
    return () => clearTimeout(timer);
  }, [text]);
  const { hits, done } = state;
  return (
    <section class="results" aria-label="Search results">
      <p class="hits" role="status">
        {hits.length >= hitsMax ? `the first ${count(hitsMax)}` : count(hits.length)} found for “<Text>{text}</Text>”
        {done ? "" : " …"}
      </p>
      <VirtualList name="result-rows" label="Search results" count={hits.length} estimate={56} target={null} list={text}
        row={(index) => <Hit hit={hits[index]} />} />
    </section>
  );
}

function Hit({ hit }) {
  return (
    <a class="hit" href={linkTo(hit.where)}>
      <span class="facts"><Text>{hit.who}</Text> · {hit.label} · {shortTime(hit.at)}</span>
      <bdi class="snippet">
        {visible(hit.before)}
        <mark>{visible(hit.found)}</mark>
        {visible(hit.after)}
      </bdi>
    </a>
  );
}
