// The event log and the diagnostics, newest at the end, as rows.
import { useMemo, useState } from "preact/hooks";
import { count, shortTime } from "./format.js";
import { linkTo } from "./route.js";
import { Text } from "./text.jsx";
import { VirtualList } from "./virtual.jsx";

/// Rows of one kind or all, and those that contain a text.
function Log({ name, title, items, kindOf, note, row }) {
  const [kind, setKind] = useState("");
  const [filter, setFilter] = useState("");
  const kinds = useMemo(() => [...new Set(items.map(kindOf))].sort(), [items]);
  const shown = useMemo(() => {
    const wanted = filter.toLowerCase();
    return items.filter(
      (item) =>
        (kind === "" || kindOf(item) === kind) &&
        (wanted === "" || `${item.worker_id ?? ""} ${item.message}`.toLowerCase().includes(wanted)),
    );
  }, [items, kind, filter]);
  return (
    <section class="log" aria-label={title}>
      <div class="tools">
        <input type="search" id="filter" placeholder={`Filter ${title.toLowerCase()}`} aria-label={`Filter ${title.toLowerCase()}`}
          value={filter} onInput={(event) => setFilter(event.currentTarget.value)} />
        <select aria-label="Kind" value={kind} onChange={(event) => setKind(event.currentTarget.value)}>
          <option value="">any kind</option>
          {kinds.map((one) => <option key={one} value={one}>{one}</option>)}
        </select>
        <span class="hits" role="status">{count(shown.length)} of {count(items.length)}</span>
      </div>
      {note && <p class="warning" role="note"><Text>{note}</Text></p>}
      {shown.length === 0 ? <p class="empty">There are none.</p> : (
        <VirtualList name={`log-rows ${name}`} label={title} count={shown.length} estimate={28} target={null}
          row={(index) => row(shown[index])} />
      )}
    </section>
  );
}

const WorkerLink = ({ id, sequence }) =>
  id ? <a href={linkTo({ worker: id, entry: sequence })}><Text>{id}</Text></a> : <span class="null">runtime</span>;

export const Events = ({ report }) => (
  <Log name="events" title="Events" items={report.events} note={report.events_note} kindOf={(event) => event.kind}
    row={(event) => (
      <div class="line">
        <span class="number">{event.id}</span>
        <time title={event.at}>{shortTime(event.at)}</time>
        <span class="kind"><Text>{event.kind}</Text></span>
        <span class="who"><WorkerLink id={event.worker_id} sequence={event.sequence} /></span>
        <span class="message"><Text>{event.message}</Text></span>
      </div>
    )} />
);

export const Diagnostics = ({ report }) => (
  <Log name="diagnostics" title="Diagnostics" items={report.diagnostics} kindOf={(diagnostic) => diagnostic.severity}
    row={(diagnostic) => (
      <div class={`line ${diagnostic.severity}`}>
        <span class="number">{diagnostic.id}</span>
        <time title={diagnostic.at}>{shortTime(diagnostic.at)}</time>
        <span class="kind">{diagnostic.severity} · <Text>{diagnostic.code}</Text></span>
        <span class="who"><WorkerLink id={diagnostic.worker_ref?.worker_id} /></span>
        <span class="message"><Text>{diagnostic.message}</Text></span>
      </div>
    )} />
);
