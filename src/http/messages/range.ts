// RFC 9110 14.1:
//   ranges-specifier = range-unit "=" range-set
//   range-set        = 1#( int-range / suffix-range )
//   int-range        = first-pos "-" [ last-pos ]
//   suffix-range     = "-" suffix-length

/** A part of something, from its first byte to its last one: both are in it. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** More ranges than this are taken for an attack, and the whole is sent: RFC 9110 14.2 lets a server do that. */
const mostRanges = 16;

/**
 * What a Range asks for of something that has `size` bytes, in the order in which it asks: the ranges that there are, so
 * none of them where it can't be satisfied (416). Undefined where the field is to be ignored: it is malformed, of
 * another unit than bytes, or asks for more than 16 ranges.
 */
export function parseRange(value: string, size: number): ByteRange[] | undefined {
  const set = /^bytes=(.*)$/i.exec(value)?.[1];
  if (set === undefined) return undefined;
  const ranges: ByteRange[] = [];
  const specs = set
    .split(",")
    .map((spec) => spec.trim())
    .filter((spec) => spec !== "");
  if (specs.length === 0 || specs.length > mostRanges) return undefined;
  for (const spec of specs) {
    const [, first = "", last = ""] = /^(\d*)-(\d*)$/.exec(spec) ?? [];
    if (first === "" && last === "") return undefined;
    if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
    const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
    const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
    if (start <= end) ranges.push({ start, end });
  }
  return ranges;
}
