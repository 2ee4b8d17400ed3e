// A list of which only what is in sight is in the document: it may have 100,000 rows.
import {
  Virtualizer,
  elementScroll,
  measureElement,
  observeElementOffset,
  observeElementRect,
} from "@tanstack/virtual-core";
import { createContext } from "preact";
import { useContext, useEffect, useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";

/// True while the page is printed: then every row is there, up to a number that paper bears.
export const Printing = createContext(false);
const printedRows = 5000;

function useVirtualizer(options) {
  const [, rerender] = useReducer((times) => times + 1, 0);
  const all = {
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    measureElement,
    overscan: 8,
    onChange: () => rerender(),
    ...options,
  };
  const [virtualizer] = useState(() => new Virtualizer(all));
  virtualizer.setOptions(all);
  useLayoutEffect(() => virtualizer._didMount(), []);
  useLayoutEffect(() => virtualizer._willUpdate());
  return virtualizer;
}

/// `row(index)` gives the content of a row; `target` is one to be brought into sight.
export function VirtualList({ count, estimate, row, label, target, name, list }) {
  const printing = useContext(Printing);
  const scroller = useRef(null);
  const virtualizer = useVirtualizer({
    count,
    estimateSize: () => estimate,
    getScrollElement: () => scroller.current,
  });
  useEffect(() => {
    if (target === null || target === undefined || target < 0) return undefined;
    virtualizer.scrollToIndex(target, { align: "start" });
    // Rows that were measured meanwhile have moved it.
    const again = setTimeout(() => virtualizer.scrollToIndex(target, { align: "start" }), 60);
    return () => clearTimeout(again);
  }, [target, list]);
  if (printing) {
    const rows = Array.from({ length: Math.min(count, printedRows) }, (_, index) => index);
    return (
      <div class={name}>
        {rows.map((index) => row(index))}
        {count > printedRows && <p>… and {count - printedRows} more</p>}
      </div>
    );
  }
  return (
    <div class={`scroller ${name}`} ref={scroller} tabIndex={0} role="region" aria-label={`${label}, rows`}>
      <div class="rows" ref={(element) => element && (element.style.height = `${virtualizer.getTotalSize()}px`)}>
        {virtualizer.getVirtualItems().map((item) => (
          <div
            key={item.key}
            class="row"
            data-index={item.index}
            ref={(element) => {
              if (!element) return;
              element.style.transform = `translateY(${item.start}px)`;
              virtualizer.measureElement(element);
            }}
          >
            {row(item.index)}
          </div>
        ))}
      </div>
    </div>
  );
}
