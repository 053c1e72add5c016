import type { ConnectOptions } from "../../client/index.ts";
import { Fields } from "../../http/index.ts";
import { quoted, UsageError, type Given, type OptionTable } from "./options.ts";
import { readPem } from "./pem.ts";

/** How a command connects: options of `connect`. */
export interface ClientOptions extends Pick<
  ConnectOptions,
  "headers" | "host" | "protocols" | "deflate" | "tls" | "proxy" | "maxMessageSize" | "maxFragments"
> {
  readonly timeouts: { readonly handshake: number };
}

/** What a command connects to, and how. */
export interface ClientSettings {
  readonly url: string;
  readonly options: ClientOptions;
}

/** The longest time that opening may take, in seconds. */
const timeout = 10;

/** The options of every command that connects. */
export const clientOptions: OptionTable = {
  header: {
    short: "H",
    value: "LINE",
    example: '"Authorization: Bearer abc"',
    help: 'a header of the request, as "Name: value"; repeatable; Host too, which TLS then asks for',
  },
  protocol: {
    short: "p",
    value: "NAME",
    example: "chat",
    help: "a subprotocol to offer; repeatable, or with commas",
  },
  origin: { value: "URL", example: "https://example.com", help: "the Origin that a browser would send" },
  deflate: { help: "offer compression" },
  insecure: { help: "accept any certificate of the server" },
  ca: { value: "FILE", example: "authority.pem", help: "accept the certificates of this authority (PEM)" },
  proxy: {
    value: "URL",
    example: "http://127.0.0.1:3128",
    help: 'connect through a proxy: http:, https:, socks5:, socks5h:, or "environment" for HTTPS_PROXY and the like',
  },
  timeout: {
    value: "S",
    example: "10",
    help: `seconds to wait for opening, for closing, and for an answer (default ${timeout})`,
  },
};

/** Reads {@link clientOptions}; a URL without a scheme is `ws:`. Throws {@link UsageError}. */
export function readClient(given: Given, url: string): ClientSettings {
  const origin = given.last("origin");
  const fields = given.all("header").map(parseField);
  const isHost = ([name]: readonly [name: string, value: string]): boolean => name.toLowerCase() === "host";
  const host = fields.findLast(isHost)?.[1];
  const ca = readPem(given, "ca", "certificate");
  const proxy = given.last("proxy");
  return {
    url: completeUrl(url),
    options: {
      headers: [
        ...fields.filter((field) => !isHost(field)),
        ...(origin === undefined ? [] : [checked(["Origin", origin], origin, "origin", "https://example.com")]),
      ],
      ...(host !== undefined && { host }),
      protocols: given.all("protocol").flatMap((value) => value.split(",").map((name) => name.trim())),
      deflate: given.has("deflate"),
      tls: { rejectUnauthorized: !given.has("insecure"), ...(ca !== undefined && { ca }) },
      ...(proxy !== undefined && { proxy }),
      timeouts: { handshake: given.time("timeout") ?? timeout * 1000 },
    },
  };
}

/** Completes a URL: one without a scheme is `ws:`. */
function completeUrl(given: string): string {
  return /^(?:[a-z][a-z\d+.-]*:\/|wss?\+unix:)/i.test(given) ? given : `ws://${given}`;
}

function parseField(given: string): [name: string, value: string] {
  const colon = Math.max(given.indexOf(":"), 0);
  return checked([given.slice(0, colon).trim(), given.slice(colon + 1).trim()], given, "header", '"Name: value"');
}

function checked(
  field: [name: string, value: string],
  given: string,
  option: string,
  example: string,
): [name: string, value: string] {
  try {
    new Fields([field]);
  } catch {
    throw new UsageError(`${quoted(given)} is not a valid ${option}; --${option} takes one such as ${example}`);
  }
  return field;
}
