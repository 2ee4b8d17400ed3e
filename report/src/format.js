// Numbers and times for people.

const number = new Intl.NumberFormat("en");
export const count = (value) => number.format(value ?? 0);

export function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit + 1 < units.length) {
    value /= 1024;
    ++unit;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/// 2026-11-24 17:33:41 of an RFC 3339 time; all of it stands in the title.
export const shortTime = (at) => at.slice(0, 19).replace("T", " ");
export const timeOf = (milliseconds) => shortTime(new Date(milliseconds).toISOString());

export function duration(milliseconds) {
  const seconds = Math.max(0, milliseconds / 1000);
  if (seconds < 1) return `${Math.round(milliseconds)} ms`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}
