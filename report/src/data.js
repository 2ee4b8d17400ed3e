// The report's data: gzip in base64 in the page, and what the views need of it at hand.

async function unpack(base64) {
  const binary = atob(base64.trim());
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; ++at) bytes[at] = binary.charCodeAt(at);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

export async function loadReport() {
  const element = document.getElementById("report-data");
  const report = await unpack(element.textContent);
  element.remove(); // it is the largest thing of the page, and not needed any more
  report.byId = new Map();
  for (const worker of report.workers) {
    worker.id = worker.worker_ref.worker_id;
    worker.created = Date.parse(worker.created_at);
    worker.updated = Date.parse(worker.updated_at);
    worker.purpose = purposeOf(worker.intent);
    report.byId.set(worker.id, worker);
  }
  for (const event of report.events) event.worker_id = event.worker_ref?.worker_id;
  const times = report.workers.flatMap((worker) => [worker.created, worker.updated]);
  if (report.events.length > 0) {
    times.push(Date.parse(report.events[0].at), Date.parse(report.events.at(-1).at));
  }
  report.made = Date.parse(report.made_at);
  report.from = times.reduce((a, b) => Math.min(a, b), report.made);
  report.to = times.reduce((a, b) => Math.max(a, b), report.from + 1000);
  return report;
}

function purposeOf(intent) {
  if (!intent) return "";
  return intent.objective ?? [intent.role, intent.purpose].filter(Boolean).join(": ");
}

export const statusOf = (worker) => (worker.damaged ? "damaged" : worker.status);
