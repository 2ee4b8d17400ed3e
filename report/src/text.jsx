// Text that others wrote. It is only ever text: nothing in it becomes markup. What would not show,
// or would change how its surroundings show, is made visible.
import { useState } from "preact/hooks";
import { count } from "./format.js";

// Controls but tab and newline; marks that turn the direction of what follows; lone surrogates.
const hidden =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

export function visible(text) {
  return text.replace(hidden, (one) => {
    const code = one.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return "\\u" + code.toString(16).padStart(4, "0");
  });
}

/// One line of it: an id, a name, a message.
export const Text = ({ children }) => <bdi>{visible(String(children ?? ""))}</bdi>;

/// The parts of a text in order: prose, and what stands between ``` fences.
export function fencedParts(text) {
  const parts = [];
  let prose = [];
  let code = null;
  const endProse = () => {
    // Empty lines beside code are not shown: its box has space around it.
    const text = prose.join("\n").replace(/^\n+|\n+$/g, "");
    if (text !== "" || parts.length === 0) parts.push({ text });
    prose = [];
  };
  for (const line of text.split("\n")) {
    const fence = /^\s{0,3}```\s*([^`]*)$/.exec(line);
    if (code) {
      if (fence && fence[1] === "") {
        parts.push({ code: true, language: code.language, text: code.lines.join("\n") });
        code = null;
      } else {
        code.lines.push(line);
      }
    } else if (fence) {
      if (prose.length > 0) endProse();
      code = { language: fence[1].trim(), lines: [] };
    } else {
      prose.push(line);
    }
  }
  if (code) parts.push({ code: true, language: code.language, text: code.lines.join("\n") });
  if (prose.length > 0) endProse();
  return parts;
}

const foldedCharacters = 1600;
const foldedLines = 24;
const stepCharacters = 200_000;

/// So much of it shows at first.
function foldedLength(text) {
  let end = Math.min(text.length, foldedCharacters);
  let at = -1;
  for (let lines = 0; lines < foldedLines; ++lines) {
    at = text.indexOf("\n", at + 1);
    if (at < 0 || at >= end) return end;
  }
  return at;
}

export function Content({ text, whole }) {
  const [shown, setShown] = useState(() => foldedLength(text));
  const end = whole ? text.length : Math.min(shown, text.length);
  const rest = text.length - end;
  return (
    <div class="content" dir="auto">
      {fencedParts(visible(text.slice(0, end))).map((part, index) =>
        part.code ? (
          <pre key={index} dir="ltr" tabIndex={0} aria-label={part.language ? `${part.language} code` : "code"}>
            {part.language && <span class="language">{part.language}</span>}
            <code>{part.text}</code>
          </pre>
        ) : (
          <p key={index}>{part.text}</p>
        ),
      )}
      {rest > 0 && (
        <button class="fold" onClick={() => setShown(end + stepCharacters)}>
          Show {count(Math.min(rest, stepCharacters))} more of {count(text.length)} characters
        </button>
      )}
    </div>
  );
}

const childrenAtOnce = 200;

/// JSON as a tree that unfolds.
export function Tree({ name, value, open }) {
  const [isOpen, setOpen] = useState(open ?? false);
  const [shown, setShown] = useState(childrenAtOnce);
  const label = name !== undefined && <span class="key">{visible(name)}: </span>;
  if (value === null || typeof value !== "object") {
    const text = typeof value === "string" ? JSON.stringify(value) : String(value);
    return (
      <div class="leaf">
        {label}
        <bdi class={value === null ? "null" : typeof value}>{visible(text)}</bdi>
      </div>
    );
  }
  const members = Object.entries(value);
  const kind = Array.isArray(value) ? `[${count(members.length)}]` : `{${count(members.length)}}`;
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {label}
        <span class="null">{kind}</span>
      </summary>
      {isOpen && members.slice(0, shown).map(([key, one]) => <Tree key={key} name={key} value={one} />)}
      {isOpen && members.length > shown && (
        <button class="fold" onClick={() => setShown(shown + childrenAtOnce)}>
          Show more of {count(members.length)}
        </button>
      )}
    </details>
  );
}
