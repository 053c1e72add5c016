import type { Server } from "node:net";
import type { Peer } from "../core/index.ts";
import {
  checkNumber,
  checkOptions,
  internetPeer,
  invalidArgument,
  isPlainObject,
  optionSet,
  show,
} from "../core/internal.ts";
import { netError } from "./errors.ts";

/** An address that `connect` connects to: a TCP port of a host, or a Unix socket. */
export interface Target {
  /** The TCP port, 1 to 65,535. */
  port?: number | undefined;
  /** The host's name or address. Default `"localhost"`. */
  host?: string | undefined;
  /** The path of a Unix socket, instead of port and host: at most 107 bytes on Linux, 103 on macOS. */
  unix?: string | undefined;
  /** Uses only the host's IPv4 or only its IPv6 addresses. Default: all, tried as in RFC 8305 (Happy Eyeballs). */
  family?: 4 | 6 | undefined;
}

const places = optionSet("net.connect", ["port", "host", "unix", "family"], "{ port, host } or { unix }");

/**
 * Checks that host and unix are non-empty strings of whole characters, without a 0; Node.js would interpret other values
 * as another address. Throws `core.invalid_argument`, and `net.path_too_long` for a path that the operating system would cut off.
 */
export function checkNames(names: Pick<Target, "host" | "unix">): void {
  for (const name of ["host", "unix"] as const) {
    const value: unknown = names[name];
    if (value !== undefined && (typeof value !== "string" || value === "")) {
      throw invalidArgument(`${name} must be a non-empty string, not ${show(value)}`);
    }
    // An abstract name begins with a 0, and may have others.
    if (value === undefined || (name === "unix" && value.startsWith("\0"))) continue;
    if (notText.test(value)) {
      throw invalidArgument(`${name} must be text without a 0 or half a character in it, not ${JSON.stringify(value)}`);
    }
  }
  if (names.unix !== undefined) checkLength(names.unix);
}

/** The system reads a name up to its first 0; half a character, a lone surrogate, has no UTF-8. */
const notText = /\0|[\ud800-\udfff]/u;

/** The most bytes of a Unix socket's path: those of `sun_path` without the final 0. Named pipes have no such limit. */
function mostBytes(): number {
  if (process.platform === "win32") return Infinity;
  return process.platform === "linux" || process.platform === "android" ? 107 : 103;
}

/** Node.js 20 would cut off the rest, and so listen at another path or connect to it. */
function checkLength(path: string): void {
  // An abstract name begins with a 0, and has none at its end.
  const most = mostBytes() + (path.startsWith("\0") ? 1 : 0);
  const size = Buffer.byteLength(path);
  if (size <= most) return;
  throw netError("net.path_too_long", {
    message: `The path of a Unix socket has at most ${most} bytes on this system, but this one has ${size}: ${JSON.stringify(path)}. Choose a shorter one, or one relative to the working directory`,
  });
}

/** Checks an address to connect to. `taker` is the name of the function that it was passed to. */
export function checkTarget(taker: string, target: Target): void {
  const misplaced = ["signal", "transport"].find((name) => isPlainObject(target) && Object.hasOwn(target, name));
  if (misplaced !== undefined) {
    throw invalidArgument(
      `${taker} takes ${misplaced} in its second argument: ${taker}({ port, host }, { ${misplaced} })`,
    );
  }
  checkOptions(places, target, taker);
  if ((target.port === undefined) === (target.unix === undefined)) {
    throw invalidArgument(`${taker} takes { port, host } or { unix }`);
  }
  checkNames(target);
  const { port, family } = target;
  if (port !== undefined && typeof port !== "number") throw invalidArgument(`port must be a number, not ${show(port)}`);
  checkNumber("port", port, 0, { isWhole: true, most: 65_535 });
  if (family !== undefined && family !== 4 && family !== 6) throw invalidArgument("family must be 4 or 6");
}

/** An address as text: `host:port`, or the path of a Unix socket. */
export function nameOf(target: Target): string {
  const { host = "*", port, unix } = target;
  return unix ?? (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);
}

/** The address that a server listens on. */
export function listenedOn(server: Server): Peer {
  const address = server.address();
  if (address === null) return {};
  return typeof address === "string" ? { unix: address } : internetPeer(address.address, address.port, address.family);
}
