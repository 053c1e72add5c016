import { readFileSync } from "node:fs";
import type { ConnectOptions } from "../client/index.ts";
import { Fields } from "../http/index.ts";
import { lastOf, numberOf, quoted, UsageError, type Given } from "./options.ts";

/** How a command connects: options of `connect`. */
export interface ClientOptions extends Pick<ConnectOptions, "tls" | "proxy" | "deflate"> {
  readonly fields: Fields;
  readonly protocols: readonly string[];
  readonly timeouts: { readonly handshake: number };
}

/** The options of every command that connects. */
export const clientOptionTable = {
  header: { type: "string", short: "H", example: "-H 'Authorization: Bearer x'" },
  protocol: { type: "string", short: "p", example: "--protocol chat" },
  origin: { type: "string", example: "--origin https://example.com" },
  insecure: { type: "boolean" },
  ca: { type: "string", example: "--ca certificate.pem" },
  proxy: { type: "string", example: "--proxy http://127.0.0.1:3128" },
  deflate: { type: "boolean" },
  timeout: { type: "string", example: "--timeout 10" },
} as const;

/** The longest that connecting takes, in seconds. */
const defaultTimeout = 10;

/** Reads the options of {@link clientOptionTable}. Throws {@link UsageError}. */
export function clientOptions(given: Given): ClientOptions {
  const proxy = lastOf(given, "proxy");
  return {
    fields: fieldsOf(given),
    protocols: (given.values.get("protocol") ?? []).flatMap((value) => value.split(",")).map((name) => name.trim()),
    tls: tlsOf(given),
    ...(proxy !== undefined && { proxy }),
    deflate: given.values.has("deflate"),
    timeouts: { handshake: timeoutOf(given) },
  };
}

function fieldsOf(given: Given): Fields {
  const fields = new Fields();
  for (const line of given.values.get("header") ?? []) {
    const colon = line.indexOf(":");
    if (colon < 1) throw new UsageError(`${quoted(line)} is no header; write it like -H 'Name: value'`);
    append(fields, line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const origin = lastOf(given, "origin");
  if (origin !== undefined) append(fields, "Origin", origin);
  return fields;
}

function append(fields: Fields, name: string, value: string): void {
  try {
    fields.append(name, value);
  } catch (error) {
    throw new UsageError(`the header ${quoted(name)} can't be sent: ${(error as Error).message}`);
  }
}

function tlsOf(given: Given): { ca?: Buffer; rejectUnauthorized?: boolean } {
  const path = lastOf(given, "ca");
  return {
    ...(path !== undefined && { ca: fileAt(path) }),
    ...(given.values.has("insecure") && { rejectUnauthorized: false }),
  };
}

function fileAt(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new UsageError(
      `${quoted(path)} can't be read (${why}); --ca takes the path of a file of certificates in PEM`,
    );
  }
}

function timeoutOf(given: Given): number {
  const seconds = numberOf(given, "timeout") ?? defaultTimeout;
  if (seconds > 0) return seconds * 1000;
  throw new UsageError("--timeout takes a number of seconds above 0");
}
