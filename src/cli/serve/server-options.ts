import { quoted, UsageError, type Given, type OptionTable } from "../shared/options.ts";
import { readPem } from "../shared/pem.ts";

/** Where a server command listens: a port and host, or the path of a Unix socket; with or without TLS. */
export interface Where {
  readonly port?: number;
  readonly host?: string;
  readonly unix?: string;
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Whether connections without TLS are accepted too. */
  readonly plain?: boolean;
}

/** How a command's echo handles messages. */
export interface EchoSettings {
  /** Whether to compress messages, if the client supports it. */
  readonly deflate: boolean;
  /** The largest message accepted, in bytes. */
  readonly maxMessageSize?: number;
  /** The most frames of a message. */
  readonly maxFragments?: number;
}

/** Options of every server command. */
export const serverOptions: OptionTable = {
  port: { short: "p", value: "N", example: "8080", help: "the TCP port, 0 for any free one (default 8080)" },
  host: {
    value: "H",
    example: "127.0.0.1",
    help: "the address or name of this machine to listen on (default 127.0.0.1: only this machine can connect; 0.0.0.0 or ::: all that can reach it)",
  },
  unix: { value: "PATH", example: "/tmp/serval.sock", help: "listen on a Unix socket instead of a port" },
  cert: { value: "FILE", example: "cert.pem", help: "serve over TLS, with the certificates in this file (PEM)" },
  key: { value: "FILE", example: "key.pem", help: "the private key of the certificate (PEM)" },
  plain: { help: "with --cert, accept connections without TLS too, on the same port" },
  deflate: { help: "compress messages, if the client supports it" },
};

/** The options of every command that receives messages. */
export const sizeOptions: OptionTable = {
  "max-message-size": {
    value: "BYTES",
    example: "1048576",
    help: "the largest message accepted, in bytes (default 16777216)",
  },
  "max-fragments": {
    value: "N",
    example: "1000000",
    help: "the most frames that a message may have (default 131072)",
  },
};

/** Printed after the options of a server command. */
export const serverNotes = "Ctrl-C closes every connection and stops; a second one stops at once.\n";

/** Reads {@link serverOptions} and {@link sizeOptions}. Throws {@link UsageError}. */
export function readServer(given: Given): { readonly where: Where; readonly echo: EchoSettings } {
  return { where: readWhere(given), echo: { deflate: given.has("deflate"), ...readSize(given) } };
}

/** Reads {@link sizeOptions}. Throws {@link UsageError}. */
export function readSize(given: Given): { readonly maxMessageSize?: number; readonly maxFragments?: number } {
  const maxMessageSize = given.whole("max-message-size", 0);
  const maxFragments = given.whole("max-fragments", 1);
  return {
    ...(maxMessageSize !== undefined && { maxMessageSize }),
    ...(maxFragments !== undefined && { maxFragments }),
  };
}

function readWhere(given: Given): Where {
  const place = readPlace(given);
  const [cert, key] = [readPem(given, "cert", "certificate"), readPem(given, "key", "private key")];
  const plain = given.has("plain");
  if (cert !== undefined && key !== undefined) return { ...place, tls: { cert, key }, plain };
  if (cert === undefined && key === undefined && !plain) return place;
  throw new UsageError("TLS needs both --cert and --key, with or without --plain");
}

function readPlace(given: Given): Where {
  const unix = given.last("unix");
  if (unix !== undefined) {
    const other = ["port", "host"].find((name) => given.has(name));
    if (other === undefined) return { unix };
    throw new UsageError(`a Unix socket has no port and host; leave out --unix or --${other}`);
  }
  const port = given.last("port") ?? "8080";
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new UsageError(`${quoted(port)} is not a port; --port takes a number from 0 to 65535`);
  }
  return { port: Number(port), host: given.last("host") ?? "127.0.0.1" };
}
