// Where one is in the report, as the fragment of its address: #view=events, #worker=ID&entry=7,
// #search=TEXT. So every place has a link, and back and forward work.
import { useEffect, useState } from "preact/hooks";

export function parseRoute(fragment) {
  const members = new URLSearchParams(fragment.replace(/^#/, ""));
  const entry = Number(members.get("entry"));
  const worker = members.get("worker");
  const search = members.get("search");
  return {
    view: members.get("view") ?? (search !== null ? "search" : "workers"),
    worker,
    entry: Number.isSafeInteger(entry) && entry > 0 ? entry : null,
    search: search ?? "",
  };
}

export function linkTo(members) {
  const kept = Object.entries(members).filter(([, value]) => value !== null && value !== undefined);
  return "#" + new URLSearchParams(kept).toString();
}

export function goTo(members) {
  location.hash = linkTo(members);
}

export function useRoute() {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const changed = () => setRoute(parseRoute(location.hash));
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return route;
}
