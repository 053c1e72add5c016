import { readFileSync } from "node:fs";
import type { ConnectOptions } from "../client/index.ts";
import { Fields } from "../http/index.ts";
import { quoted, UsageError, type Given, type OptionTable } from "./given.ts";

// The options of all commands that connect to a WebSocket.

export const clientOptions: OptionTable = {
  header: { type: "string", short: "H", example: '--header "Authorization: Bearer abc"' },
  protocol: { type: "string", short: "p", example: "--protocol chat" },
  origin: { type: "string", example: "--origin https://example.com" },
  deflate: { type: "boolean" },
  insecure: { type: "boolean" },
  ca: { type: "string", example: "--ca authority.pem" },
  proxy: { type: "string", example: "--proxy http://127.0.0.1:3128" },
  timeout: { type: "string", example: "--timeout 5000" },
};

/** What --help says of them. */
export const clientHelp = `  -H, --header "NAME: VALUE"
                 a field for the request; may be repeated
  -p, --protocol NAME
                 a subprotocol to offer; may be repeated
      --origin URL
                 the Origin that a browser would send
      --deflate  offer compression
      --insecure accept any certificate of the server
      --ca FILE  accept the certificates of this authority (PEM)
      --proxy URL
                 connect through a proxy: http:, https:, socks5:, socks5h:,
                 or "environment" for what HTTPS_PROXY and the like say
      --timeout MS
                 for opening, and for closing (default 30000)
`;

/** The options of `connect` that a command line gives. Throws {@link UsageError}. */
export function readClientOptions(given: Given): ConnectOptions {
  const fields = given.all("header").map(parseField);
  const origin = given.get("origin");
  if (origin !== undefined) fields.push(parseField(`Origin: ${origin}`));
  const ca = given.get("ca");
  const timeout = given.count("timeout", "time", "milliseconds");
  const proxy = given.get("proxy");
  return {
    fields,
    protocols: given.all("protocol"),
    deflate: given.has("deflate"),
    tls: { rejectUnauthorized: !given.has("insecure"), ...(ca !== undefined && { ca: readAuthority(ca) }) },
    ...(proxy !== undefined && { proxy }),
    ...(timeout !== undefined && { timeouts: { handshake: timeout } }),
  };
}

/** A URL as it is meant: one without a scheme is `ws:`. */
export function completeUrl(given: string): string {
  return /^(?:[a-z][a-z\d+.-]*:\/\/|ws\+unix:)/i.test(given) ? given : `ws://${given}`;
}

function parseField(given: string): [name: string, value: string] {
  const colon = given.indexOf(":");
  const field: [string, string] = [given.slice(0, Math.max(colon, 0)).trim(), given.slice(colon + 1).trim()];
  try {
    new Fields([field]);
  } catch {
    throw new UsageError(`${quoted(given)} is no field; --header takes one such as "Name: value"`);
  }
  return field;
}

function readAuthority(path: string): string {
  let pem: string;
  try {
    pem = readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`--ca can't be read: ${(error as Error).message}`);
  }
  if (pem.includes("-----BEGIN ") && pem.includes("CERTIFICATE-----")) return pem;
  throw new UsageError(`${quoted(path)} holds no certificate; --ca takes a file in PEM`);
}
