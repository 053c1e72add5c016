import { parseIPv4, parseIPv6 } from "../net/internal.ts";

/** A network: the addresses whose first `bits` bits equal those of `groups`. */
interface Network {
  readonly groups: readonly number[];
  readonly bits: number;
}

/**
 * Networks of IP addresses. IPv4 addresses are matched as IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2). This runs first
 * for every connection, so it must be cheaper than `net.BlockList`, which makes objects of an address.
 */
export class Networks {
  readonly #all: Network[] = [];

  /** Adds a network such as `10.0.0.0/8`, or an address. Returns false if it is neither. */
  add(text: string): boolean {
    const [, address = "", length] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
    const groups = groupsOf(address);
    if (groups === undefined) return false;
    const longest = address.includes(":") ? 128 : 32;
    const prefix = length === undefined ? longest : Number(length);
    if (prefix > longest) return false;
    this.#all.push({ groups, bits: 128 - longest + prefix });
    return true;
  }

  /** Whether an address is in one of the networks; false for a text that is no address. */
  has(address: string): boolean {
    const groups = groupsOf(address);
    return groups !== undefined && this.#all.some((network) => contains(network, groups));
  }
}

/**
 * The part of an address that belongs to one customer, as a string: the /64 of an IPv6 address, a whole IPv4 address. A
 * text that is no address is returned unchanged.
 */
export function customerOf(address: string): string {
  const groups = groupsOf(address);
  if (groups === undefined) return address;
  return (contains(mapped, groups) ? groups.slice(6) : groups.slice(0, 4)).join(":");
}

/** The IPv4-mapped addresses. */
const mapped: Network = { groups: [0, 0, 0, 0, 0, 0xffff], bits: 96 };

/** The eight groups of an address without its zone, IPv4-mapped if it is IPv4; undefined if it is no address. */
function groupsOf(address: string): number[] | undefined {
  const zone = address.indexOf("%");
  const bare = zone < 0 ? address : address.slice(0, zone);
  if (bare.includes(":")) return parseIPv6(bare);
  const bytes = parseIPv4(bare);
  if (bytes === undefined) return undefined;
  return [0, 0, 0, 0, 0, 0xffff, (bytes[0]! << 8) | bytes[1]!, (bytes[2]! << 8) | bytes[3]!];
}

function contains({ groups, bits }: Network, address: readonly number[]): boolean {
  const whole = bits >> 4;
  for (let i = 0; i < whole; i++) if (groups[i] !== address[i]) return false;
  const left = bits & 15;
  return left === 0 || (groups[whole]! ^ address[whole]!) >> (16 - left) === 0;
}
