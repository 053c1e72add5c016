// Numbers as text.

/** A whole number with thousands separators. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** A duration in milliseconds, shown in the unit that fits. */
export function duration(ms: number): string {
  if (ms < 1) return `${digits(ms * 1000)} µs`;
  return ms < 1000 ? `${digits(ms)} ms` : `${digits(ms / 1000)} s`;
}

/** Three significant digits, or the whole number if it has more. */
export function digits(value: number): string {
  const decimals = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return decimals === 0 ? whole(value) : String(Number(value.toFixed(decimals)));
}

/** A bar of at most `width` characters, in eighths of a character; anything above zero shows. */
export function bar(share: number, width: number): string {
  const eighths = share > 0 ? Math.max(1, Math.round(share * width * 8)) : 0;
  const last = eighths % 8;
  return "█".repeat(eighths >> 3) + (last === 0 ? "" : "▏▎▍▌▋▊▉"[last - 1]!);
}
