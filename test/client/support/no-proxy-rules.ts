// The rules of NO_PROXY, as the table in docs/client.md has them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

/** A row of the table: an entry of NO_PROXY, and what it means for these URLs. */
export interface NoProxyRule {
  readonly entry: string;
  readonly direct: readonly string[];
  readonly proxied: readonly string[];
  /** The URLs among them for which curl decides otherwise. */
  readonly curlDiffers: readonly string[];
}

/** The table's rows. */
export function noProxyRules(): readonly NoProxyRule[] {
  const page = readFileSync(new URL("../../../../docs/client.md", import.meta.url), "utf8");
  const [, table] = /<!-- table: NO_PROXY -->\n((?:\|.*\n)+)/.exec(page)!;
  const rows = table!.trimEnd().split("\n").slice(2);
  assert.ok(rows.length > 5);
  return rows.map((row) => {
    const [entries, direct, proxied, curlDiffers] = row
      .slice(1, -1)
      .split("|")
      .map((cell) => [...cell.matchAll(/`(.*?)`/g)].map(([, code]) => code!));
    return { entry: entries![0]!, direct: direct!, proxied: proxied!, curlDiffers: curlDiffers! };
  });
}
