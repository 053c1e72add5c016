import type { Peer } from "../core/index.ts";
import { checkNumber } from "../core/internal.ts";
import { customerOf } from "./networks.ts";
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

/** A connection's place among those of its address, until it leaves. */
export class Place {
  #leave: (() => void) | undefined;

  constructor(leave?: () => void) {
    this.#leave = leave;
  }

  /** The connection has ended. Idempotent. */
  leave(): void {
    this.#leave?.();
    this.#leave = undefined;
  }
}

/** The place of all that are not counted. */
export const uncounted: Place = new Place();

/** Counts connections, and says whether there may be one more. */
export class Admission {
  readonly #most: number;
  readonly #mostByAddress: number;
  readonly #spareLocal: boolean;
  readonly #byAddress = new Map<string, number>();

  /** Throws `core.invalid_argument` for what can't be meant. */
  constructor({ maxConnections, maxConnectionsPerAddress }: AdmissionOptions) {
    this.#most = checkNumber("maxConnections", maxConnections, 100_000, { least: 1 });
    this.#mostByAddress = checkNumber("maxConnectionsPerAddress", maxConnectionsPerAddress, 1_000, { least: 1 });
    this.#spareLocal = maxConnectionsPerAddress === undefined;
  }

  /** Whether there may be one more than these. */
  hasRoom(connections: number): boolean {
    return connections < this.#most;
  }

  /** How many addresses have connections that count. */
  get addresses(): number {
    return this.#byAddress.size;
  }

  /** Counts a connection of an address. Returns undefined if there are as many as may be. */
  enter(peer: Peer | undefined): Place | undefined {
    const key = this.#keyOf(peer);
    if (key === undefined) return uncounted;
    const count = this.#byAddress.get(key) ?? 0;
    if (count >= this.#mostByAddress) return undefined;
    this.#byAddress.set(key, count + 1);
    return new Place(() => this.#leave(key));
  }

  #leave(key: string): void {
    const count = this.#byAddress.get(key)!;
    if (count === 1) this.#byAddress.delete(key);
    else this.#byAddress.set(key, count - 1);
  }

  /** What is counted as one address; undefined for what is not counted. */
  #keyOf(peer: Peer | undefined): string | undefined {
    if (this.#mostByAddress === Infinity || peer?.address === undefined) return undefined;
    if (this.#spareLocal && isLocal(peer)) return undefined;
    return customerOf(peer.address);
  }
}
