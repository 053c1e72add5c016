import { dropOws, equalsIgnoringCase, skipOws, sp } from "./grammar.ts";

/** The head that was scanned again last: all lines of a name are asked for in a row. */
let scanned: { readonly fields: ParsedFields; readonly marks: readonly number[] } | undefined;

/**
 * The fields of a parsed head, kept as the head's text: names and values become strings of their own only on demand.
 * Most are never asked for, and the strings of a dozen fields would take more time and memory than the rest of a
 * request.
 *
 * Positions of fields are in steps of two, as in the flat list that {@link collect} returns.
 */
export class ParsedFields {
  /** The text of the head. */
  readonly head: string;
  readonly #firstLine: number;
  /** The positions of each field's colon and CR; undefined if they are to be found again each time. */
  #known: readonly number[] | undefined;
  /** Which lengths, modulo 32, names have, and which of these more than one name has: most look-ups end with that. */
  #lengths = 0;
  #repeated = 0;
  /** How many names may be Cookie: they have its length and its first letter. Nearly always at most one. */
  cookies = 0;

  /** Takes the text of a head, where its first field line begins, and the positions of each line's colon and CR. */
  constructor(head: string, firstLine: number, marks: readonly number[]) {
    this.head = head;
    this.#firstLine = firstLine;
    this.#known = marks;
    let start = firstLine;
    for (let at = 0; at < marks.length; at += 2) {
      const size = marks[at] - start;
      if (size === 6 && (head.charCodeAt(start) | 0x20) === 0x63) this.cookies++;
      const length = 1 << size;
      this.#repeated |= this.#lengths & length;
      this.#lengths |= length;
      start = marks[at + 1] + 2;
    }
  }

  /** From now on takes less memory and more time. */
  compact(): void {
    this.#known = undefined;
  }

  get #marks(): readonly number[] {
    return this.#known ?? this.#scan();
  }

  /** The parser has checked that every line has a colon, and a CR only at its end. */
  #scan(): readonly number[] {
    if (scanned?.fields === this) return scanned.marks;
    const head = this.head;
    const marks: number[] = [];
    let start = this.#firstLine;
    for (let end = head.indexOf("\r", start); end > start; end = head.indexOf("\r", start)) {
      marks.push(head.indexOf(":", start), end);
      start = end + 2;
    }
    scanned = { fields: this, marks };
    return marks;
  }

  /** Twice the number of fields. */
  get length(): number {
    return this.#marks.length;
  }

  /** The position of the first field of this name at or after `from`, which is 0 or after a field of this name; -1 if there is none. */
  find(name: string, from: number): number {
    const { length } = name;
    if (((from === 0 ? this.#lengths : this.#repeated) & (1 << length)) === 0) return -1;
    const head = this.head;
    const marks = this.#known ?? this.#scan();
    let start = from === 0 ? this.#firstLine : marks[from - 1] + 2;
    for (let at = from; at < marks.length; at += 2) {
      const colon = marks[at];
      if (colon - start === length && equalsIgnoringCase(head, start, colon, name)) return at;
      start = marks[at + 1] + 2;
    }
    return -1;
  }

  /** The value of the field at this position. */
  value(at: number): string {
    const head = this.head;
    const marks = this.#known ?? this.#scan();
    const start = marks[at] + 1;
    const end = marks[at + 1];
    // Most fields have one space before the value and none after it.
    if (start + 1 < end && head.charCodeAt(start) === sp && head.charCodeAt(start + 1) > sp) {
      if (head.charCodeAt(end - 1) > sp) return head.slice(start + 1, end);
    }
    const from = skipOws(head, start, end);
    return head.slice(from, dropOws(head, from, end));
  }

  /** Names and values alternating. */
  collect(): string[] {
    const marks = this.#marks;
    const raw: string[] = [];
    let start = this.#firstLine;
    for (let at = 0; at < marks.length; at += 2) {
      raw.push(this.head.slice(start, marks[at]), this.value(at));
      start = marks[at + 1] + 2;
    }
    return raw;
  }
}
