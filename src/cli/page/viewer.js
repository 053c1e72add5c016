// Shows all of a large message, one page at a time.
import { bytes, dump, element, number, partsOf } from "./format.js";

/** The size of a page: characters of text, or bytes. */
const pageSize = 65_536;

/** The dialog that shows messages in full. */
export class Viewer {
  #dialog;
  #parts;
  #data = "";
  #page = 0;

  constructor(dialog) {
    this.#dialog = dialog;
    this.#parts = partsOf(dialog);
    this.#parts.earlier.addEventListener("click", () => this.#turn(-1));
    this.#parts.later.addEventListener("click", () => this.#turn(1));
    this.#parts.save.addEventListener("click", () => this.#save());
  }

  show(title, data) {
    this.#data = data;
    this.#page = 0;
    this.#parts.title.textContent = title;
    this.#turn(0);
    this.#dialog.showModal();
  }

  get #length() {
    return typeof this.#data === "string" ? this.#data.length : this.#data.byteLength;
  }

  #turn(by) {
    this.#page += by;
    const { content, range, earlier, later } = this.#parts;
    const [from, to] = [this.#page * pageSize, Math.min(this.#length, (this.#page + 1) * pageSize)];
    const isText = typeof this.#data === "string";
    content.textContent = isText ? this.#data.slice(from, to) : dump(this.#data, from, to, perLine());
    content.classList.toggle("dump", !isText);
    content.scrollTop = 0;
    const unit = isText ? `${number(this.#length)} characters` : bytes(this.#length);
    range.textContent = `${number(from + 1)} to ${number(to)} of ${unit}`;
    earlier.disabled = this.#page === 0;
    later.disabled = to === this.#length;
  }

  #save() {
    const isText = typeof this.#data === "string";
    const type = isText ? "text/plain" : "application/octet-stream";
    const href = URL.createObjectURL(new Blob([this.#data], { type }));
    element("a", "", { href, download: isText ? "message.txt" : "message.bin" }).click();
    // By then the download has started, and no longer needs the URL.
    setTimeout(() => URL.revokeObjectURL(href), 10_000);
  }
}

/** Whether the window is as narrow as a phone. */
export const narrow = matchMedia("(max-width: 40rem)");

/** How many bytes fit in a line of a hex dump. */
export const perLine = () => (narrow.matches ? 8 : 16);
