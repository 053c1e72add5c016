import { invalidArgument } from "./errors.ts";

/**
 * Refuses an option that there is not: a misspelt one has no effect, and nobody would know why. Says which was meant,
 * or which there are. `taker` is the function that takes them.
 */
export function checkOptionNames(taker: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    const advice = near === undefined ? `there are ${known.join(", ")}` : `did you mean ${near}?`;
    throw invalidArgument(`${taker} has no option "${name}": ${advice}`);
  }
}

/** The known name that is a part of this one, or the other way round, or two letters from it at most. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const word = name.toLowerCase();
  let [best, least] = [undefined as string | undefined, 3];
  for (const each of known) {
    const other = each.toLowerCase();
    const isPart = Math.min(word.length, other.length) > 1 && (word.startsWith(other) || other.startsWith(word));
    // In a name of three letters two others are another name.
    const away = isPart ? 0 : distance(word, other);
    if (away < least && away < other.length - 1) [best, least] = [each, away];
  }
  return best;
}

/** How many letters to add, drop or change, to make the one word of the other (Levenshtein's distance). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const change = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
