// The list of Workers: filter, sort, choose.
import { useMemo, useState } from "preact/hooks";
import { statusOf } from "./data.js";
import { count, shortTime } from "./format.js";
import { linkTo } from "./route.js";
import { Text } from "./text.jsx";
import { VirtualList } from "./virtual.jsx";

const orders = {
  "id": (a, b) => (a.id < b.id ? -1 : 1),
  "newest activity": (a, b) => b.updated - a.updated,
  "newest first": (a, b) => b.created - a.created,
  "longest transcript": (a, b) => b.transcript_len - a.transcript_len,
  "most content": (a, b) => b.usage.content_bytes - a.usage.content_bytes,
};
const statuses = ["any status", "running", "stopped", "cancelled", "damaged"];

function matches(worker, words, status) {
  if (status !== statuses[0] && statusOf(worker) !== status) return false;
  const text = `${worker.id} ${worker.display_name ?? ""} ${worker.purpose}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

export function Workers({ report, chosen }) {
  const [filter, setFilter] = useState("");
  const [status, setStatus] = useState(statuses[0]);
  const [order, setOrder] = useState("id");
  const shown = useMemo(() => {
    const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
    return report.workers.filter((worker) => matches(worker, words, status)).sort(orders[order]);
  }, [filter, status, order]);
  const target = chosen ? shown.findIndex((worker) => worker.id === chosen) : null;
  const choice = (label, value, set, options) => (
    <select aria-label={label} value={value} onChange={(event) => set(event.currentTarget.value)}>
      {options.map((option) => (
        <option key={option}>{option}</option>
      ))}
    </select>
  );
  return (
    <section class="workers" aria-label="Workers">
      <div class="tools">
        <input
          type="search"
          id="filter"
          placeholder="Filter Workers"
          aria-label="Filter Workers"
          value={filter}
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
        {choice("Status", status, setStatus, statuses)}
        {choice("Order", order, setOrder, Object.keys(orders))}
        <span class="hits" role="status">{count(shown.length)} of {count(report.workers.length)}</span>
      </div>
      <VirtualList
        name="worker-rows"
        label="Workers"
        count={shown.length}
        estimate={76}
        target={target}
        list={chosen}
        row={(index) => <WorkerRow worker={shown[index]} chosen={shown[index].id === chosen} />}
      />
    </section>
  );
}

function WorkerRow({ worker, chosen }) {
  return (
    <a class={`worker ${chosen ? "chosen" : ""}`} href={linkTo({ worker: worker.id })} aria-current={chosen ? "true" : undefined}>
      <span class="name">
        <Text>{worker.display_name ?? worker.id}</Text>
        {worker.display_name && <small><Text>{worker.id}</Text></small>}
      </span>
      <span class={`status ${statusOf(worker)}`}>{statusOf(worker)}</span>
      <span class="purpose"><Text>{worker.purpose.slice(0, 200)}</Text></span>
      <span class="numbers">
        {count(worker.transcript_len)} {worker.transcript_len === 1 ? "entry" : "entries"} ·{" "}
        <time title={worker.updated_at}>{shortTime(worker.updated_at)}</time>
      </span>
    </a>
  );
}
