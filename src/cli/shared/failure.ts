import { ServalError } from "../../core/index.ts";
import { escapedLine, escapedWords } from "./escape.ts";

/** How much of a body is shown. */
const mostLines = 5;
const mostCharacters = 200;

/** An error's message, in one line. */
export function failureLine(error: unknown): string {
  return escapedWords(error instanceof Error ? error.message : String(error));
}

/** The line that a command prints for an invalid URL or option. */
export function misuseLine(error: unknown, command: "connect" | "inspect" | "bench"): string {
  return `serval: ${failureLine(error)}; see serval ${command} --help\n`;
}

/** An error's message and, if a server refused, its Location and the beginning of its response's body, in lines. */
export function failureLines(error: unknown): string[] {
  const lines = [failureLine(error)];
  const response = error instanceof ServalError ? error.response : undefined;
  if (response === undefined) return lines;
  const location = response.headers.first("Location");
  if (location !== undefined) lines.push(`  Location: ${escapedLine(location)}`);
  return lines.concat(bodyLines(response.body));
}

/** The first lines of a body, indented. */
export function bodyLines(body: Uint8Array): string[] {
  // A character takes at most four bytes, so no more need to be decoded.
  const text = Buffer.from(body.subarray(0, mostLines * mostCharacters * 4)).toString("utf8");
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  const shown = lines.slice(0, mostLines).map((line) => `  ${cut(escapedLine(line))}`);
  return lines.length > mostLines ? [...shown, "  …"] : shown;
}

function cut(line: string): string {
  return line.length > mostCharacters ? `${line.slice(0, mostCharacters)}…` : line;
}
