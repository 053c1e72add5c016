import type { Deflate } from "../load/frames.ts";
import { kibibyte, type EchoLoad, type Member } from "../workload.ts";

const json: EchoLoad = { size: 477, depth: 1, connections: 50, text: true };
const sizes: readonly (readonly [key: string, title: string, load: EchoLoad])[] = [
  ["one", "477 B of JSON, 1 in flight x 50", json],
  ["deep", "477 B of JSON, 16 deep x 50", { ...json, depth: 16 }],
  ["4k", "4 KiB of JSON, 1 in flight x 50", { ...json, size: 4 * kibibyte }],
  ["64k", "64 KiB of JSON, 1 in flight x 16", { ...json, size: 64 * kibibyte, connections: 16 }],
];

function echoes(name: string, title: string, deflate: Deflate): readonly Member[] {
  const server = { mode: "echo", deflate } as const;
  const kind = { unit: "message", metric: "cpu", server, peers: ["ws", "bun"], kind: "echo" } as const;
  return sizes.map(([key, what, load]) => ({ key: `${name}-${key}`, title: `${title}: ${what}`, ...kind, load }));
}

/** Compressed messages. */
export const deflate: readonly Member[] = [
  ...echoes("deflate", "deflated", true),
  ...echoes("takeover", "deflated with context takeover", "takeover"),
];
