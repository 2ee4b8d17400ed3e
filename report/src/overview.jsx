// The head of the page: what the report is of, and its counts.
import { bytes, count, duration, shortTime } from "./format.js";
import { Text } from "./text.jsx";

function Figure({ label, value, kind }) {
  return (
    <div class={`figure ${kind ?? ""}`}>
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}

export function Overview({ report }) {
  const { summary } = report;
  const usage = summary.usage ?? {};
  const damaged = report.workers.filter((worker) => worker.damaged).length;
  return (
    <section class="overview" aria-label="Overview">
      <dl>
        <Figure label="Workers" value={count(summary.worker_count)} />
        <Figure label="running" value={count(summary.active_worker_count)} kind="running" />
        <Figure label="stopped" value={count(summary.stopped_worker_count)} kind="stopped" />
        <Figure label="cancelled" value={count(summary.cancelled_worker_count)} kind="cancelled" />
        {damaged > 0 && <Figure label="damaged" value={count(damaged)} kind="damaged" />}
        <Figure label="events" value={count(summary.event_count)} />
        <Figure label="entries" value={count(summary.transcript_entry_count)} />
        <Figure label="content" value={bytes(summary.content_bytes)} />
        <Figure label="inputs" value={count(usage.inputs)} />
        <Figure label="outputs" value={count(usage.outputs)} />
        {Object.entries(usage.counters ?? {}).map(([name, value]) => (
          <Figure key={name} label={<Text>{name}</Text>} value={count(value)} />
        ))}
        <Figure label="span" value={duration(report.to - report.from)} />
      </dl>
      <p class="made">
        Runtime <Text>{summary.runtime_id}</Text> is {summary.status}. Made{" "}
        <time title={report.made_at}>{shortTime(report.made_at)} UTC</time> by worker-runtime{" "}
        {report.version}.
      </p>
    </section>
  );
}
