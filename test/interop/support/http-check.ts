// Holding our parser to the list of differences.
import assert from "node:assert/strict";
import { compare, type Found } from "./http-compare.ts";
import { differences, type Difference } from "./http-differences.ts";
import { node } from "./http-llhttp-node.ts";
import { undici } from "./http-llhttp-wasm.ts";
import { ours, type Input, type Seen } from "./http-seen.ts";

/** The parsers that ours is compared with, by name. */
export const oracles: Readonly<Record<string, (input: Input) => Seen>> = { node, undici };

/** Compares our parser with others, by default all. Fails for a difference that is not in the list; returns those that are. */
export function check(input: Input, names: readonly string[] = Object.keys(oracles)): Set<Difference> {
  const known = new Set<Difference>();
  const seen = ours(input);
  for (const name of names) {
    for (const found of compare(input, seen, oracles[name]!(input))) {
      const difference = differences.find(
        ({ aspect, matches }) => [aspect].flat().includes(found.aspect) && matches(found),
      );
      if (difference === undefined) fail(`not in the list, beside ${name}`, found);
      known.add(difference);
      if (difference.mend !== undefined) checkMended(found, difference.mend(found));
    }
  }
  return known;
}

/** {@link check} for a message, and for those behind it that are of its kind. */
export function checkAll(input: Input): void {
  for (let { text } = input; text !== "";) {
    check({ ...input, text });
    const { end, at } = ours({ ...input, text });
    if (end !== "whole") break;
    text = text.slice(at);
  }
}

/** The message without the difference is framed as we frame it with it, by llhttp too. */
function checkMended(found: Found, text: string): void {
  const { input, ours: before } = found;
  if (text === input.text) fail("not mended", found);
  const mended = { ...input, text };
  check(mended);
  const after = ours(mended);
  const isSame =
    after.end === before.end && after.body === before.body && text.length - after.at === input.text.length - before.at;
  if (!isSame) fail(`framed in another way than ${escaped(text)}`, found);
}

function fail(what: string, found: Found): never {
  const { kind, method = "GET", text } = found.input;
  const message = kind === "response" ? `response to ${method}` : kind;
  const lines = [`${found.aspect}, ${what}: ${message} ${escaped(text)}`, escaped(found.ours), escaped(found.theirs)];
  assert.fail(lines.join("\n"));
}

/** As JSON, without anything that a terminal would not show. */
export function escaped(value: unknown): string {
  return JSON.stringify(value).replace(/[\x7f-\xff]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}
