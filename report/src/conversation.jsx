// One Worker: what it is, and its transcript as a conversation.
import { useContext } from "preact/hooks";
import { statusOf } from "./data.js";
import { bytes, count, shortTime } from "./format.js";
import { linkTo } from "./route.js";
import { Content, Text, Tree } from "./text.jsx";
import { Printing, VirtualList } from "./virtual.jsx";

export function Conversation({ worker, entry }) {
  const entries = worker.transcript;
  const target = entry === null ? null : entries.findIndex((one) => one.sequence === entry);
  return (
    <article class="conversation" aria-label={`Worker ${worker.id}`}>
      <header>
        <a class="back" href={linkTo({ view: "workers" })}>← Workers</a>
        <h2 id="worker-heading">
          <Text>{worker.display_name ?? worker.id}</Text>{" "}
          <span class={`status ${statusOf(worker)}`}>{statusOf(worker)}</span>
        </h2>
        <p class="facts">
          <Text>{worker.id}</Text> · {count(worker.usage.inputs)} inputs · {count(worker.usage.outputs)} outputs ·{" "}
          {bytes(worker.usage.content_bytes)} · {shortTime(worker.created_at)} – {shortTime(worker.updated_at)} UTC
        </p>
        {worker.damaged && <p class="warning" role="note">Damaged: <Text>{worker.damaged}</Text></p>}
        {worker.transcript_note && <p class="warning" role="note"><Text>{worker.transcript_note}</Text></p>}
        <Tree name="request" value={requestOf(worker)} />
      </header>
      {entries.length === 0 ? (
        <p class="empty">There are no entries here.</p>
      ) : (
        <VirtualList
          key={worker.id}
          name="entries"
          label="Transcript"
          count={entries.length}
          estimate={110}
          target={target}
          list={`${worker.id} ${entry}`}
          row={(index) => (
            <Entry key={entries[index].sequence} worker={worker} entry={entries[index]} chosen={entries[index].sequence === entry} />
          )}
        />
      )}
    </article>
  );
}

function requestOf(worker) {
  const names = ["intent", "profile", "config_bundle", "requested_capabilities", "workspace_refs", "mount_refs"];
  const members = names.filter((name) => worker[name] !== undefined).map((name) => [name, worker[name]]);
  return { ...Object.fromEntries(members), counters: worker.usage.counters ?? {} };
}

function Entry({ worker, entry, chosen }) {
  const printing = useContext(Printing);
  return (
    <section class={`entry ${entry.role} ${chosen ? "chosen" : ""}`} aria-label={`Entry ${entry.sequence}, ${entry.role}`}>
      <header>
        <span class="role">{entry.role}</span>
        {entry.name && <span class="entry-name"><Text>{entry.name}</Text></span>}
        <time title={entry.at}>{shortTime(entry.at)}</time>
        <a class="number" href={linkTo({ worker: worker.id, entry: entry.sequence })} title="A link to this entry">
          #{entry.sequence}
        </a>
      </header>
      {entry.redacted !== undefined
        ? <p class="null">[redacted: {entry.redacted} bytes]</p>
        : <Content text={entry.content} whole={printing} />}
      {entry.data !== undefined && (
        <div class="data">
          <Tree name="data" value={entry.data} open={printing} />
        </div>
      )}
    </section>
  );
}
