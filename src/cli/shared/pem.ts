import { readFileSync } from "node:fs";
import { quoted, UsageError, type Given } from "./options.ts";

/** The content of the file that an option names. Throws {@link UsageError} if it is no PEM of this kind. */
export function readPem(given: Given, name: string, kind: "certificate" | "private key"): string | undefined {
  const path = given.last(name);
  if (path === undefined) return undefined;
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new UsageError(`${quoted(path)} can't be read (${why}); --${name} takes a file with a ${kind} in PEM`);
  }
  // A kind has several labels, such as "EC PRIVATE KEY" (RFC 7468).
  if (new RegExp(`-----BEGIN [A-Z ]*${kind.toUpperCase()}-----`).test(text)) return text;
  throw new UsageError(`${quoted(path)} holds no ${kind}; --${name} takes a file with one in PEM`);
}
