import type { Peer } from "../core/index.ts";
import { checkNumber } from "../core/internal.ts";
import { customerOf } from "./networks.ts";
import { isLocal } from "./proxies.ts";

/** Limits on simultaneous connections, in all and by address. */
export interface AdmissionOptions {
  /**
   * How many connections in all; Infinity for no limit. Default 100,000. Any further one is answered with 503.
   * Refused connections end within two seconds; while a tenth as many (250 to 1,000) are ending, others are closed at once.
   */
  maxConnections?: number | undefined;
  /**
   * How many connections from one address, or from one /64 of IPv6; Infinity for no limit. Default 1,000 for addresses
   * of the Internet. This machine and private networks, where a proxy may stand for many clients, have no limit unless
   * one is given. Any further one is answered with 429.
   */
  maxConnectionsPerAddress?: number | undefined;
}

/** A connection's place among those of its address, until `leave`. */
export class Place {
  #leave: (() => void) | undefined;

  constructor(leave?: () => void) {
    this.#leave = leave;
  }

  /** Frees the place, when the connection has ended. Idempotent. */
  leave(): void {
    this.#leave?.();
    this.#leave = undefined;
  }
}

/** The place of connections that are not counted. */
export const uncounted: Place = new Place();

/** Counts connections, and decides whether there may be another. */
export class Admission {
  /** How many connections there may be. */
  readonly most: number;
  readonly #mostByAddress: number;
  readonly #spareLocal: boolean;
  readonly #byAddress = new Map<string, number>();

  /** Throws `core.invalid_argument` for invalid limits. */
  constructor({ maxConnections, maxConnectionsPerAddress }: AdmissionOptions) {
    this.most = checkNumber("maxConnections", maxConnections, 100_000, { least: 1 });
    this.#mostByAddress = checkNumber("maxConnectionsPerAddress", maxConnectionsPerAddress, 1_000, { least: 1 });
    this.#spareLocal = maxConnectionsPerAddress === undefined;
  }

  /** Whether there may be another besides these. */
  hasRoom(connections: number): boolean {
    return connections < this.most;
  }

  /** How many addresses have counted connections. */
  get addresses(): number {
    return this.#byAddress.size;
  }

  /** Counts a connection of an address. Undefined if the address has reached its limit. */
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

  /** The key that connections of an address are counted under; undefined if they are not counted. */
  #keyOf(peer: Peer | undefined): string | undefined {
    if (this.#mostByAddress === Infinity || peer?.address === undefined) return undefined;
    if (this.#spareLocal && isLocal(peer)) return undefined;
    return customerOf(peer.address);
  }
}
