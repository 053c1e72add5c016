// The form that messages are written in.
import { bytes, number, parseHex, sizeOf } from "./format.js";

const placeholders = { text: "Say something", hex: "Bytes, like 48 65 6c 6c 6f" };
/** How many messages are remembered, how often one may be sent at once, and how many bytes that may be in total. */
const mostRemembered = 100;
const mostTimes = 10_000;
const mostBytes = 64 * 1024 * 1024;

/** What was sent, over all connections, the latest last. */
const history = [];

export class Composer {
  #parts;
  #send;
  /** The reader's position in the history, and the draft to return to. */
  #place = history.length;
  #draft;

  /** `send` takes the data and returns whether it could be sent. */
  constructor(parts, send) {
    this.#parts = parts;
    this.#send = send;
    const { composer, content, choose, file, text, hex } = parts;
    composer.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
      content.focus();
    });
    content.addEventListener("keydown", (event) => this.#key(event));
    for (const radio of [text, hex]) radio.addEventListener("change", () => this.#showKind());
    choose.addEventListener("click", () => file.click());
    file.addEventListener("change", async () => {
      await this.#sendFile(file.files[0]);
      file.value = "";
    });
    for (const type of ["dragover", "dragleave", "drop"]) {
      composer.addEventListener(type, (event) => {
        composer.classList.toggle("over", type === "dragover");
        if (type === "drop") void this.#sendFile(event.dataTransfer.files[0]);
      });
    }
    this.#showKind();
  }

  get #kind() {
    return this.#parts.hex.checked ? "hex" : "text";
  }

  #showKind() {
    this.#parts.content.placeholder = placeholders[this.#kind];
    this.#object("");
  }

  #object(text) {
    this.#parts.objection.textContent = text;
  }

  #submit() {
    const { value } = this.#parts.content;
    const kind = this.#kind;
    const times = Number(this.#parts.times.value);
    this.#object("");
    try {
      const data = kind === "hex" ? parseHex(value) : value;
      if (!Number.isInteger(times) || times < 1 || times > mostTimes) {
        throw new Error(`A message can be sent 1 to ${number(mostTimes)} times at once.`);
      }
      if (sizeOf(data) * times > mostBytes)
        throw new Error(`This is too much: at most ${bytes(mostBytes)} can be sent at once.`);
      for (let i = 0; i < times; i++) this.#sendOne(data);
    } catch (error) {
      this.#object(error.message);
      return;
    }
    const last = history.at(-1);
    if (value !== "" && (last?.value !== value || last.kind !== kind)) history.push({ value, kind });
    if (history.length > mostRemembered) history.shift();
    this.#place = history.length;
    this.#parts.content.value = "";
  }

  #sendOne(data) {
    if (!this.#send(data)) throw new Error("Nothing was sent: there is no connection.");
  }

  async #sendFile(file) {
    if (file === undefined) return;
    this.#object("");
    try {
      this.#sendOne(await file.arrayBuffer());
    } catch (error) {
      this.#object(error.message);
    }
  }

  #key(event) {
    const { key, shiftKey, altKey, isComposing } = event;
    if (isComposing || altKey) return;
    const { value, selectionStart, selectionEnd } = this.#parts.content;
    if (key === "Enter" && !shiftKey) {
      event.preventDefault();
      this.#parts.composer.requestSubmit();
    } else if (selectionStart === selectionEnd && !shiftKey) {
      // Within a text of several lines the arrows move the caret.
      if (key === "ArrowUp" && !value.slice(0, selectionStart).includes("\n")) this.#recall(event, -1);
      if (key === "ArrowDown" && !value.slice(selectionEnd).includes("\n")) this.#recall(event, 1);
    }
  }

  #recall(event, by) {
    const place = Math.min(this.#place, history.length) + by;
    if (place < 0 || place > history.length) return;
    event.preventDefault();
    const { content, text, hex } = this.#parts;
    if (this.#place >= history.length) this.#draft = { value: content.value, kind: this.#kind };
    this.#place = place;
    const { value, kind } = history[place] ?? this.#draft;
    content.value = value;
    (kind === "hex" ? hex : text).checked = true;
    this.#showKind();
    // The caret is put where another press of the same arrow continues through the history.
    const caret = by < 0 ? 0 : value.length;
    content.setSelectionRange(caret, caret);
  }
}
