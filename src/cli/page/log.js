// The log of a connection. It is bounded, and drawn at most once per frame of the screen.
import { bytes, clock, dump, element, milliseconds, number } from "./format.js";
import { perLine } from "./viewer.js";

/** The largest number of entries. */
const mostEntries = 1_000;
/** How many messages are shown of those that arrive between two frames of the screen. */
const mostPerFrame = 40;
/** How many characters of a message are shown. */
const shownCharacters = 1_000;
const shownBytes = 256;
/** How many bytes of messages are kept to be shown in full. */
const mostKept = 64 * 1024 * 1024;

const titles = { sent: "↑ sent", received: "↓ received" };
const isMessage = ({ data }) => data !== undefined;

/**
 * Entries have `way` ("sent", "received", "event", "problem", "skipped") and `at`. A message has `data`, `size` and, if
 * it is an echo, its round trip `trip`; other entries have `title`, `facts` and `text`.
 */
export class Log {
  #element;
  #view;
  #changed;
  /** Entries in the log, and entries that wait for the next frame. */
  #entries = [];
  #pending = [];
  #kept = 0;
  #pendingBytes = 0;
  #skipped = 0;
  #isScheduled = false;
  /** When entries were last added to the page, and how long that took. */
  #flushedAt = 0;
  #flushTook = 0;
  #filter = { way: "all", text: "" };
  #isShown = false;
  /** Whether the log stays scrolled to the newest entry. */
  #isFollowing = true;
  #top = 0;

  /** `view` shows a message in full; `changed` is called when the numbers of entries change. */
  constructor(element, { view, changed }) {
    this.#element = element;
    this.#view = view;
    this.#changed = changed;
    element.addEventListener("scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = element;
      this.#top = scrollTop;
      this.#isFollowing = scrollHeight - scrollTop - clientHeight < 40;
    });
    new ResizeObserver(() => this.#follow()).observe(element);
  }

  add(entry) {
    this.#pending.push(entry);
    this.#pendingBytes += entry.size ?? 0;
    // A hidden page gets no frames but still gets messages, so what waits must be bounded.
    while (this.#pending.length > mostEntries || (this.#pendingBytes > mostKept && this.#pending.length > 1)) {
      const oldest = this.#pending.findIndex(isMessage);
      if (oldest === -1) break;
      const [{ size }] = this.#pending.splice(oldest, 1);
      this.#pendingBytes -= size;
      this.#skipped++;
    }
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // Drawing takes at most an eighth of the time, however slow it is; the rest is for receiving and for the user.
    const rest = this.#flushedAt + 7 * this.#flushTook - performance.now();
    const request = () => requestAnimationFrame(() => this.#flush());
    if (rest > 0) setTimeout(request, rest);
    else request();
  }

  clear() {
    this.#entries = this.#pending = [];
    this.#kept = this.#pendingBytes = this.#skipped = 0;
    this.#render();
  }

  filter(way, text) {
    this.#filter = { way, text: text.toLowerCase() };
    this.#isFollowing = true;
    this.#render();
  }

  /** Shows or hides the log. Its entries have elements only while it is shown. */
  show(isShown) {
    this.#isShown = isShown;
    const top = this.#top;
    this.#render();
    if (!this.#isFollowing) this.#element.scrollTop = top;
  }

  /** All entries that pass the filter, as text to copy. */
  text() {
    const lines = this.#entries
      .filter((entry) => this.#matches(entry))
      .map((entry) => {
        const { title, facts, content, more } = described(entry);
        return [[clock(entry.at), title, ...facts].join("  "), content, more].filter(Boolean).join("\n");
      });
    return `${lines.join("\n")}\n`;
  }

  #flush() {
    this.#isScheduled = false;
    const began = performance.now();
    const messages = this.#pending.filter(isMessage).length;
    let excess = Math.max(0, messages - mostPerFrame);
    const skipped = this.#skipped + excess;
    const added = this.#pending.filter((entry) => !isMessage(entry) || excess-- <= 0);
    if (skipped > 0) {
      const title = skipped === 1 ? "1 message not shown" : `${number(skipped)} messages not shown`;
      added.unshift({
        way: "skipped",
        at: added[0]?.at ?? performance.now(),
        title,
        facts: ["too many at once"],
        text: "",
      });
    }
    this.#pending = [];
    this.#pendingBytes = this.#skipped = 0;
    for (const entry of added) this.#keep(entry);
    const removed = this.#entries.splice(0, Math.max(0, this.#entries.length - mostEntries));
    for (const entry of removed) {
      entry.row?.remove();
      if (entry.isKept) this.#kept -= entry.size;
    }
    if (this.#isShown) {
      const rows = added.filter((entry) => this.#entries.includes(entry) && this.#matches(entry));
      this.#element.append(...rows.map((entry) => this.#row(entry)));
      this.#follow();
    }
    this.#changed(this.#entries.length);
    this.#flushedAt = performance.now();
    this.#flushTook = this.#flushedAt - began;
  }

  /** When the kept messages are too large, the oldest large ones are cut to what is shown of them. */
  #keep(entry) {
    this.#entries.push(entry);
    if (!isMessage(entry)) return;
    const { data, size } = entry;
    entry.isLarge = typeof data === "string" ? data.length > shownCharacters : size > shownBytes;
    if (!entry.isLarge) return;
    entry.isKept = true;
    this.#kept += entry.size;
    for (const old of this.#entries) {
      if (this.#kept <= mostKept || old === entry) break;
      if (!old.isKept) continue;
      this.#kept -= old.size;
      old.isKept = false;
      old.data = old.data.slice(0, typeof old.data === "string" ? shownCharacters : shownBytes);
      old.row?.querySelector("button")?.replaceWith("It is no longer kept.");
    }
  }

  #render() {
    for (const entry of this.#entries) entry.row = undefined;
    const entries = this.#isShown ? this.#entries.filter((entry) => this.#matches(entry)) : [];
    this.#element.replaceChildren(...entries.map((entry) => this.#row(entry)));
    this.#follow();
    this.#changed(this.#entries.length);
  }

  #matches(entry) {
    const { way, text } = this.#filter;
    if (way === "events" ? isMessage(entry) : way !== "all" && way !== entry.way) return false;
    if (text === "") return true;
    const { title, facts, content } = described(entry);
    return [title, ...facts, content].some((words) => words.toLowerCase().includes(text));
  }

  #row(entry) {
    const { title, facts, content, more } = described(entry);
    const row = element("div", "", { className: "entry" });
    row.dataset.way = entry.way;
    const about = element("span", "", { className: "facts" });
    about.append(...facts.map((fact) => element("span", fact)));
    row.append(element("time", clock(entry.at)), element("b", title), about);
    if (content !== "") {
      const isDump = isMessage(entry) && typeof entry.data !== "string";
      row.append(element("pre", content, { className: isDump ? "dump" : "" }));
    }
    if (more !== "") {
      const rest = element("div", `${more} `, { className: "more" });
      if (entry.isKept) {
        const button = element("button", "Show all", { type: "button", className: "link" });
        button.addEventListener("click", () => this.#view(`${title}, ${facts.join(", ")}`, entry.data));
        rest.append(button);
      } else {
        rest.append("It is no longer kept.");
      }
      row.append(rest);
    }
    entry.row = row;
    return row;
  }

  /** Scrolls to the newest entry, unless the reader has scrolled back. */
  #follow() {
    if (this.#isFollowing && this.#isShown) this.#element.scrollTop = this.#element.scrollHeight;
  }
}

/** An entry in words: its direction, facts, the shown part of its content, and a note on what is missing. */
function described(entry) {
  const { way, title, facts, text, data, size, trip } = entry;
  if (!isMessage(entry)) return { title, facts, content: text, more: "" };
  const isText = typeof data === "string";
  const about = [isText ? "text" : "binary", bytes(size)];
  if (trip !== undefined) about.push(`back after ${milliseconds(trip)}`);
  const content = isText ? data.slice(0, shownCharacters) : dump(data, 0, shownBytes, perLine());
  let more = "";
  if (entry.isLarge) {
    more = isText
      ? `The first ${number(shownCharacters)} characters.`
      : `The first ${bytes(shownBytes)} of ${number(size)}.`;
  }
  return { title: titles[way], facts: about, content, more };
}
