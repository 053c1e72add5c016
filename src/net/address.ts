import type { Server, Socket } from "node:net";
import type { Peer } from "../core/index.ts";
import { checkOptions, invalidArgument, optionSet, show } from "../core/internal.ts";

/** Where `connect` connects to: a TCP port of a host, or a Unix socket. */
export interface Target {
  /** The TCP port, 1 to 65,535. */
  port?: number | undefined;
  /** The host's name or address. Default `"localhost"`. */
  host?: string | undefined;
  /** The path of a Unix socket, in the place of port and host. */
  unix?: string | undefined;
  /** Takes only the host's IPv4 or IPv6 addresses. Default all, tried as RFC 8305 (Happy Eyeballs) has it. */
  family?: 4 | 6 | undefined;
}

const places = optionSet("net.connect", ["port", "host", "unix", "family"], "{ port, host } or { unix }");

/** Passes strings as host and unix, if they are not empty; Node.js would take others for another place. */
export function checkNames(names: Pick<Target, "host" | "unix">): void {
  for (const name of ["host", "unix"] as const) {
    const value: unknown = names[name];
    if (value !== undefined && (typeof value !== "string" || value === "")) {
      throw invalidArgument(`${name} must be a string, and not empty, not ${show(value)}`);
    }
  }
}

/** Passes what is a place to connect to. `taker` is the function that was given it. */
export function checkTarget(taker: string, target: Target): void {
  checkOptions(places, target, taker);
  if ((target.port === undefined) === (target.unix === undefined)) {
    throw invalidArgument(`${taker} takes { port, host } or { unix }`);
  }
  checkNames(target);
  const { port, family } = target;
  if (port !== undefined && typeof port !== "number") throw invalidArgument(`port must be a number, not ${show(port)}`);
  if (family !== undefined && family !== 4 && family !== 6) throw invalidArgument("family must be 4 or 6");
}

/** An address in words: `host:port`, or the path of a Unix socket. */
export function nameOf(target: Target): string {
  const { host = "*", port, unix } = target;
  return unix ?? (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);
}

/** The other end of a connected TCP socket; empty if it was reset already. */
export function connectedTo(socket: Socket): Peer {
  const { remoteAddress, remotePort, remoteFamily } = socket;
  return remoteAddress === undefined ? {} : internetAddress(remoteAddress, remotePort!, remoteFamily);
}

/** What a server that listens listens on. */
export function listenedOn(server: Server): Peer {
  const address = server.address();
  if (address === null) return {};
  return typeof address === "string"
    ? { unix: address }
    : internetAddress(address.address, address.port, address.family);
}

function internetAddress(address: string, port: number, family: string | undefined): Peer {
  return { address, port, family: family === "IPv6" ? "IPv6" : "IPv4" };
}
