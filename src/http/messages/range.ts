// RFC 9110 14.1:
//   ranges-specifier = range-unit "=" range-set
//   range-set        = 1#( int-range / suffix-range )
//   int-range        = first-pos "-" [ last-pos ]
//   suffix-range     = "-" suffix-length

/** A range of bytes; `first` and `last` are inclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** More ranges than this are treated as an attack, and the whole is sent, which RFC 9110 14.2 allows. */
const mostRanges = 16;

/**
 * The ranges that a Range header requests of `size` bytes, in order, without those outside; so an empty list can't be
 * satisfied (416). Undefined if the header is to be ignored: it is malformed, has a unit other than bytes, or requests
 * more than 16 ranges.
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
