const group = /^[\da-f]{1,4}$/i;

/** The four bytes of an IPv4 address in dotted decimal without leading zeros; undefined for anything else. */
export function parseIPv4(text: string): number[] | undefined {
  const bytes: number[] = [];
  let byte = -1;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x2e && byte >= 0 && bytes.length < 3) {
      bytes.push(byte);
      byte = -1;
      continue;
    }
    if (code < 0x30 || code > 0x39 || byte === 0) return undefined;
    byte = (byte < 0 ? 0 : byte * 10) + code - 0x30;
    if (byte > 255) return undefined;
  }
  if (byte < 0 || bytes.length < 3) return undefined;
  bytes.push(byte);
  return bytes;
}

/**
 * The eight groups of an IPv6 address without a zone (RFC 4291 section 2.2); the last two may be written as an IPv4
 * address. Undefined for anything else.
 */
export function parseIPv6(text: string): number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [front, back] = halves.map((half, index) => groupsOf(half, index === halves.length - 1));
  if (front === undefined) return undefined;
  if (halves.length === 1) return front.length === 8 ? front : undefined;
  // "::" stands for at least one group.
  if (back === undefined || front.length + back.length > 7) return undefined;
  return [...front, ...Array.from({ length: 8 - front.length - back.length }, () => 0), ...back];
}

function groupsOf(text: string, isLast: boolean): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (group.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const bytes = isLast && index === parts.length - 1 ? parseIPv4(part) : undefined;
    if (bytes === undefined) return undefined;
    groups.push((bytes[0]! << 8) | bytes[1]!, (bytes[2]! << 8) | bytes[3]!);
  }
  return groups;
}

/** The address of eight groups and its family: an IPv4-mapped one is IPv4 (RFC 4291 section 2.5.5.2). */
export function addressOf(groups: readonly number[]): { address: string; family: "IPv4" | "IPv6" } {
  if (!isMapped(groups)) return { address: formatIPv6(groups), family: "IPv6" };
  return { address: mappedIPv4(groups), family: "IPv4" };
}

function isMapped(groups: readonly number[]): boolean {
  return groups.slice(0, 5).every((each) => each === 0) && groups[5] === 0xffff;
}

function mappedIPv4(groups: readonly number[]): string {
  return `${groups[6]! >> 8}.${groups[6]! & 255}.${groups[7]! >> 8}.${groups[7]! & 255}`;
}

/** The text of an IPv6 address in the form of RFC 5952, which operating systems use too. */
export function formatIPv6(groups: readonly number[]): string {
  // ::ffff:192.0.2.1 (RFC 5952 section 5).
  if (isMapped(groups)) return `::ffff:${mappedIPv4(groups)}`;
  const zeros = longestZeros(groups);
  const hex = groups.map((each) => each.toString(16));
  if (zeros.length < 2) return hex.join(":");
  return `${hex.slice(0, zeros.start).join(":")}::${hex.slice(zeros.start + zeros.length).join(":")}`;
}

/** The longest run of zeros, the first if several are equal (RFC 5952 section 4.2.3). */
function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}
