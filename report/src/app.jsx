// The page: head, views, keys.
import { useEffect, useRef, useState } from "preact/hooks";
import { Conversation } from "./conversation.jsx";
import { Diagnostics, Events } from "./logs.jsx";
import { Overview } from "./overview.jsx";
import { goTo, linkTo, useRoute } from "./route.js";
import { Search } from "./search.jsx";
import { Text } from "./text.jsx";
import { Timeline } from "./timeline.jsx";
import { Printing } from "./virtual.jsx";
import { Workers } from "./workers.jsx";

const views = ["workers", "timeline", "events", "diagnostics"];
const titles = { workers: "Workers", timeline: "Timeline", events: "Events", diagnostics: "Diagnostics" };
const keys = [
  ["/", "search everything"],
  ["f", "filter what is in sight"],
  ["1 2 3 4", "Workers, timeline, events, diagnostics"],
  ["j k", "next and previous Worker"],
  ["+ − 0, arrows", "zoom and move the timeline"],
  ["t", "dark or light"],
  ["?", "this help"],
];

function initialTheme() {
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

export function App({ report, printing }) {
  const route = useRoute();
  const [theme, setTheme] = useState(initialTheme);
  const help = useRef(null);
  const searchField = useRef(null);
  const turn = () => setTheme((now) => (now === "dark" ? "light" : "dark"));
  document.documentElement.dataset.theme = theme;

  const stepWorker = (by) => {
    const at = report.workers.findIndex((worker) => worker.id === route.worker);
    const next = report.workers[Math.min(Math.max(at + by, 0), report.workers.length - 1)];
    if (next) goTo({ worker: next.id });
  };
  useEffect(() => {
    const onKey = (event) => {
      const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
      if (event.key === "Escape" && typing) event.target.blur();
      if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
      const actions = {
        "/": () => searchField.current.focus(),
        f: () => document.getElementById("filter")?.focus(),
        j: () => stepWorker(1),
        k: () => stepWorker(-1),
        t: turn,
        "?": () => (help.current.open ? help.current.close() : help.current.showModal()),
        ...Object.fromEntries(views.map((view, index) => [String(index + 1), () => goTo({ view })])),
      };
      if (!actions[event.key]) return;
      event.preventDefault();
      actions[event.key]();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });

  const worker = route.worker === null ? null : report.byId.get(route.worker);
  const current = route.worker === null ? route.view : "workers";
  return (
    <Printing.Provider value={printing}>
      <header class="top">
        <h1>
          <Text>{report.summary.display_name ?? report.summary.runtime_id}</Text>
        </h1>
        <nav aria-label="Views">
          {views.map((view) => (
            <a key={view} href={linkTo({ view })} aria-current={current === view ? "page" : undefined}>
              {titles[view]}
            </a>
          ))}
        </nav>
        <form role="search" onSubmit={(event) => { event.preventDefault(); goTo({ search: searchField.current.value }); }}>
          <input ref={searchField} type="search" placeholder="Search everything" aria-label="Search everything" defaultValue={route.search} />
        </form>
        <button class="plain" onClick={turn} aria-label={theme === "dark" ? "Light colours" : "Dark colours"}>
          {theme === "dark" ? "☀" : "☾"}
        </button>
        <button class="plain" onClick={() => help.current.showModal()} aria-label="Keys">?</button>
      </header>
      <main class={route.worker !== null ? "has-worker" : ""}>
        {current === "workers" && route.worker === null && <Overview report={report} />}
        {current === "workers" && (
          <div class="split">
            <Workers report={report} chosen={route.worker} />
            {worker && <Conversation key={worker.id} worker={worker} entry={route.entry} />}
            {route.worker !== null && !worker && <p class="empty">There is no Worker <Text>{route.worker}</Text> here.</p>}
            {route.worker === null && <p class="empty wide">Choose a Worker to read its transcript.</p>}
          </div>
        )}
        {current === "timeline" && <Timeline report={report} theme={theme} />}
        {current === "events" && <Events report={report} />}
        {current === "diagnostics" && <Diagnostics report={report} />}
        {current === "search" && <Search report={report} text={route.search} />}
      </main>
      <dialog ref={help} aria-label="Keys">
        <h2>Keys</h2>
        <dl>
          {keys.map(([key, does]) => [<dt key={key}>{key}</dt>, <dd key={does}>{does}</dd>])}
        </dl>
        <button onClick={() => help.current.close()}>Close</button>
      </dialog>
    </Printing.Provider>
  );
}
