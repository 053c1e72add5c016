import { isIPv6 } from "node:net";
import { invalidArgument } from "../core/errors.ts";
import type { Peer } from "../core/index.ts";
import { isLocal } from "./proxies.ts";

/** How many connections there may be at once, in all and by address. */
export interface AdmissionOptions {
  /** How many in all; Infinity for any number. Default 100,000. One more is answered with 503. */
  maxConnections?: number | undefined;
  /**
   * How many from one address, or one /64 of IPv6; Infinity for any number. Default 1,000 for addresses of the Internet;
   * this machine and private networks, where a proxy may stand for many clients, have no limit unless one is given. One
   * more is answered with 429.
   */
  maxConnectionsPerAddress?: number | undefined;
}

/** Counts connections, and says whether there may be one more. */
export class Admission {
  readonly #most: number;
  readonly #mostByAddress: number;
  readonly #spareLocal: boolean;
  readonly #byAddress = new Map<string, number>();

  /** Throws `core.invalid_argument` for what can't be meant. */
  constructor({ maxConnections, maxConnectionsPerAddress }: AdmissionOptions) {
    this.#most = atLeastOne("maxConnections", maxConnections, 100_000);
    this.#mostByAddress = atLeastOne("maxConnectionsPerAddress", maxConnectionsPerAddress, 1_000);
    this.#spareLocal = maxConnectionsPerAddress === undefined;
  }

  /** Whether there may be one more than these. */
  hasRoom(connections: number): boolean {
    return connections < this.#most;
  }

  /** Counts a connection of an address. Returns false if there are as many as may be; then it does not count. */
  enter(peer: Peer | undefined): boolean {
    const key = this.#keyOf(peer);
    if (key === undefined) return true;
    const count = this.#byAddress.get(key) ?? 0;
    if (count >= this.#mostByAddress) return false;
    this.#byAddress.set(key, count + 1);
    return true;
  }

  /** A connection that was counted has ended. */
  leave(peer: Peer | undefined): void {
    const key = this.#keyOf(peer);
    const count = key === undefined ? undefined : this.#byAddress.get(key);
    if (count === undefined) return;
    if (count === 1) this.#byAddress.delete(key!);
    else this.#byAddress.set(key!, count - 1);
  }

  /** What is counted as one address; undefined for what is not counted. */
  #keyOf(peer: Peer | undefined): string | undefined {
    if (this.#mostByAddress === Infinity || peer?.address === undefined) return undefined;
    if (this.#spareLocal && isLocal(peer)) return undefined;
    return isIPv6(peer.address) ? networkOf(peer.address) : peer.address;
  }
}

/** The /64 of an IPv6 address: that much belongs to one customer. */
function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped !== null) return mapped[1]!;
  const [front = "", back] = address.toLowerCase().split("%")[0]!.split("::");
  const groups = front === "" ? [] : front.split(":");
  if (back !== undefined) {
    const behind = back === "" ? 0 : back.split(":").length + (back.includes(".") ? 1 : 0);
    const missing = 8 - groups.length - behind;
    for (let i = 0; i < missing; i++) groups.push("0");
    groups.push(...back.split(":"));
  }
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":");
}

function atLeastOne(name: string, given: number | undefined, byDefault: number): number {
  if (given === undefined) return byDefault;
  if (typeof given === "number" && given >= 1) return given;
  throw invalidArgument(`${name} must be a number of at least 1 (Infinity for no limit), not ${String(given)}`);
}
