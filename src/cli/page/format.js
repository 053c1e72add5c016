// Text, numbers and bytes as the page shows and reads them.

/** Makes an element. Text is inserted as text, never as markup. */
export function element(name, text = "", properties = {}) {
  const made = Object.assign(document.createElement(name), properties);
  if (text !== "") made.textContent = text;
  return made;
}

/** Finds the parts of a tree by their `data-part`. */
export function partsOf(root) {
  return Object.fromEntries([...root.querySelectorAll("[data-part]")].map((found) => [found.dataset.part, found]));
}

const whole = new Intl.NumberFormat("en");
const tenths = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const hundredths = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

export const number = (value) => whole.format(value);
export const bytes = (size) => (size === 1 ? "1 byte" : `${number(size)} bytes`);

/** Three significant digits, in compact notation. */
export function short(value) {
  if (value >= 100 || value === 0) return whole.format(Math.round(value));
  return (value >= 10 ? tenths : hundredths).format(value);
}

const significant = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
/** Three significant digits, without trailing zeros. */
export const round = (value) => significant.format(value);

export const milliseconds = (value) => `${short(value)} ms`;

/** A size in compact form. */
export function size(value) {
  if (value < 10_000) return `${number(value)} B`;
  if (value < 10_000 * 1024) return `${short(value / 1024)} KiB`;
  return `${short(value / 1024 ** 2)} MiB`;
}

export function duration(ms) {
  const seconds = Math.floor(ms / 1000);
  const two = (value) => String(value).padStart(2, "0");
  if (seconds < 3600) return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** The time of day that belongs to a time of the page's clock. */
export function clock(at) {
  const date = new Date(performance.timeOrigin + at);
  const [hours, minutes, seconds] = [date.getHours(), date.getMinutes(), date.getSeconds()].map((value) =>
    String(value).padStart(2, "0"),
  );
  return `${hours}:${minutes}:${seconds}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

const encoder = new TextEncoder();
export const encode = (text) => encoder.encode(text);

/** The size of a message as sent, in bytes. */
export const sizeOf = (data) => (typeof data === "string" ? encode(data).length : data.byteLength);

const hexBytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** An id that others can't guess. */
export function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => hexBytes[byte]).join("");
}

/** A hex dump of part of a buffer: offset, bytes in hexadecimal, ASCII. */
export function dump(buffer, from, to, perLine) {
  const data = new Uint8Array(buffer, from, Math.min(buffer.byteLength, to) - from);
  const half = perLine / 2;
  const lines = [];
  for (let at = 0; at < data.length; at += perLine) {
    const line = data.subarray(at, at + perLine);
    let hex = "";
    let ascii = "";
    for (const [i, byte] of line.entries()) {
      hex += i === half ? `  ${hexBytes[byte]}` : ` ${hexBytes[byte]}`;
      ascii += byte > 31 && byte < 127 ? String.fromCharCode(byte) : "·";
    }
    lines.push(`${(from + at).toString(16).padStart(8, "0")} ${hex.padEnd(3 * perLine + 1)}  ${ascii}`);
  }
  return lines.join("\n");
}

/** Parses bytes written in hexadecimal, optionally with spaces, commas, colons or 0x. Throws for anything else. */
export function parseHex(text) {
  const digits = text.replace(/0x/gi, "").replace(/[\s,:]+/g, "");
  const wrong = /[^\da-f]/iu.exec(digits);
  if (wrong !== null) throw new Error(`“${wrong[0]}” is not a hexadecimal digit. Bytes look like 48 65 6c.`);
  if (digits.length % 2 === 1) throw new Error("Each byte takes two digits; the last one has only one.");
  return Uint8Array.from(digits.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)).buffer;
}

/** RFC 6455 section 7.4.1, and the IANA registry of close codes. */
const meanings = {
  1000: "normal closure",
  1001: "going away",
  1002: "protocol error",
  1003: "unsupported data",
  1005: "no code was given",
  1006: "lost without a close frame",
  1007: "invalid data",
  1008: "policy violation",
  1009: "message too big",
  1010: "extension missing",
  1011: "internal error",
  1012: "service restart",
  1013: "try again later",
  1014: "bad gateway",
  1015: "TLS failed",
};

/** What a close code means. The ranges are those of RFC 6455 section 7.4.2. */
export function meaning(code) {
  if (code >= 4000) return "private use";
  if (code >= 3000) return meanings[code] ?? "a library’s or framework’s";
  return meanings[code] ?? "reserved";
}
