// Workers over time: a bar from the creation of each to its last event. Zoomed with the wheel, the
// keys + and -, or the buttons; moved with the arrow keys or by dragging.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { statusOf } from "./data.js";
import { duration, timeOf } from "./format.js";
import { goTo } from "./route.js";
import { visible } from "./text.jsx";

const rowHeight = 20;
const axisHeight = 26;
const labelWidth = 170;
const steps = [1, 2, 5, 10, 30, 60, 300, 600, 1800, 3600, 10800, 21600, 43200, 86400, 604800, 2592000, 31536000];

/// The range within the whole, a part of it at least a millisecond wide.
function clampRange(range, whole) {
  const width = Math.min(Math.max(range.to - range.from, 1), whole.to - whole.from);
  const from = Math.min(Math.max(range.from, whole.from), whole.to - width);
  return { from, to: from + width };
}

function draw(canvas, workers, range, top, colours) {
  const scale = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "middle";
  const span = range.to - range.from;
  const label = Math.min(labelWidth, width / 3);
  const x = (time) => label + ((time - range.from) / span) * (width - label - 8);
  const step = (steps.find((seconds) => (span / 1000 / seconds) * 150 < width - label) ?? steps.at(-1)) * 1000;
  for (let time = Math.ceil(range.from / step) * step; time <= range.to; time += step) {
    context.fillStyle = colours.line;
    context.fillRect(x(time), axisHeight - 4, 1, height);
    context.fillStyle = colours.faint;
    context.fillText(step < 86400000 ? timeOf(time).slice(5, 19) : timeOf(time).slice(0, 10), x(time) + 4, 10);
  }
  const first = Math.floor(top / rowHeight);
  for (let index = first; index < workers.length; ++index) {
    const y = axisHeight + index * rowHeight - top;
    if (y > height) break;
    if (y < axisHeight - rowHeight) continue;
    const worker = workers[index];
    context.save();
    context.beginPath();
    context.rect(0, axisHeight, label - 6, height);
    context.clip();
    context.fillStyle = colours.text;
    context.fillText(visible(worker.display_name ?? worker.id).slice(0, 60), 6, y + rowHeight / 2);
    context.restore();
    const from = Math.max(x(worker.created), label);
    const to = Math.min(x(worker.updated), width - 8);
    if (to < label || from > width) continue;
    context.fillStyle = colours[statusOf(worker)];
    context.fillRect(from, Math.max(y + 4, axisHeight), Math.max(to - from, 3), rowHeight - 8);
  }
  context.fillStyle = colours.background;
  context.fillRect(0, 0, label - 6, axisHeight);
}

function readColours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["text", "faint", "line", "background", "running", "stopped", "cancelled", "damaged"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

export function Timeline({ report, theme }) {
  const whole = { from: report.from, to: report.to + (report.to - report.from) * 0.02 };
  const [range, setRange] = useState(whole);
  const [top, setTop] = useState(0);
  const [size, setSize] = useState(0);
  const canvas = useRef(null);
  const drag = useRef(null);
  const workers = useMemo(() => [...report.workers].sort((a, b) => a.created - b.created), []);
  const contentHeight = axisHeight + workers.length * rowHeight + 12;

  useEffect(() => {
    const observer = new ResizeObserver(() => setSize((times) => times + 1));
    observer.observe(canvas.current);
    return () => observer.disconnect();
  }, []);
  useEffect(() => draw(canvas.current, workers, range, top, readColours()), [range, top, size, theme]);

  const scrollBy = (pixels) =>
    setTop((now) => Math.max(0, Math.min(now + pixels, contentHeight - canvas.current.clientHeight)));
  const zoom = (factor, at = 0.5) =>
    setRange((now) => {
      const middle = now.from + (now.to - now.from) * at;
      return clampRange({ from: middle - (middle - now.from) * factor, to: middle + (now.to - middle) * factor }, whole);
    });
  const move = (share) =>
    setRange((now) => {
      const by = (now.to - now.from) * share;
      return clampRange({ from: now.from + by, to: now.to + by }, whole);
    });
  const shareAt = (event) => {
    const box = canvas.current.getBoundingClientRect();
    const label = Math.min(labelWidth, box.width / 3);
    return Math.min(Math.max((event.clientX - box.left - label) / (box.width - label - 8), 0), 1);
  };
  const onKey = (event) => {
    const actions = {
      "+": () => zoom(0.6), "=": () => zoom(0.6), "-": () => zoom(1.6), "0": () => setRange(whole),
      ArrowLeft: () => move(-0.2), ArrowRight: () => move(0.2),
      ArrowUp: () => scrollBy(-3 * rowHeight), ArrowDown: () => scrollBy(3 * rowHeight),
      PageUp: () => scrollBy(-canvas.current.clientHeight), PageDown: () => scrollBy(canvas.current.clientHeight),
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  };
  useEffect(() => {
    const onWheel = (event) => {
      event.preventDefault();
      if (event.shiftKey) scrollBy(event.deltaY || event.deltaX);
      else if (event.deltaX !== 0 && Math.abs(event.deltaX) > Math.abs(event.deltaY)) move(event.deltaX / 1000);
      else zoom(Math.exp(event.deltaY / 400), shareAt(event));
    };
    const element = canvas.current;
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => element.removeEventListener("wheel", onWheel);
  }, []);
  const onUp = (event) => {
    const begun = drag.current;
    drag.current = null;
    if (!begun || begun.moved) return;
    const box = canvas.current.getBoundingClientRect();
    const index = Math.floor((event.clientY - box.top - axisHeight + top) / rowHeight);
    if (event.clientY - box.top > axisHeight && workers[index]) goTo({ worker: workers[index].id });
  };
  const onMove = (event) => {
    const begun = drag.current;
    if (!begun) return;
    const across = event.clientX - begun.x;
    const down = event.clientY - begun.y;
    if (!begun.moved && Math.abs(across) + Math.abs(down) < 5) return;
    drag.current = { x: event.clientX, y: event.clientY, moved: true };
    move(-across / canvas.current.clientWidth);
    scrollBy(-down);
  };
  return (
    <section class="timeline" aria-label="Timeline">
      <div class="tools">
        <button onClick={() => zoom(0.6)} aria-label="Zoom in">+</button>
        <button onClick={() => zoom(1.6)} aria-label="Zoom out">−</button>
        <button onClick={() => setRange(whole)}>All</button>
        <span class="hits" role="status">
          {timeOf(range.from)} UTC, {duration(range.to - range.from)} in sight
        </span>
        <span class="legend">
          {["running", "stopped", "cancelled", "damaged"].map((name) => (
            <span key={name} class={`status ${name}`}>{name}</span>
          ))}
        </span>
      </div>
      <canvas
        ref={canvas}
        tabIndex={0}
        role="img"
        aria-label={`Timeline of ${workers.length} Workers; the list of Workers has the same times as text`}
        onKeyDown={onKey}
        onPointerDown={(event) => (drag.current = { x: event.clientX, y: event.clientY, moved: false })}
        onPointerMove={onMove}
        onPointerUp={onUp}
        onPointerLeave={() => (drag.current = null)}
      />
    </section>
  );
}
