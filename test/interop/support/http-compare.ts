// Comparing what two parsers have seen.
import { ours as parse, type Input, type Seen } from "./http-seen.ts";

/**
 * What is different: that we accept what they refuse, that we refuse what they accept, or how a message is read that both
 * accept. "length" is the one that smuggling is made of: where the message ends, or whether it does.
 */
export type Aspect = "accepted" | "refused" | "start" | "headers" | "length" | "body" | "trailers";

/** One difference between what we and another have seen. */
export interface Found {
  readonly aspect: Aspect;
  readonly input: Input;
  readonly ours: Seen;
  readonly theirs: Seen;
}

/** All that is different. Nothing is where one of them has not decided yet: the input was too short for it. */
export function compare(input: Input, ours: Seen, theirs: Seen): Found[] {
  // We look at a line of chunk extensions when it is complete.
  if (
    ours.end === "unfinished" &&
    theirs.end === "refused" &&
    parse({ ...input, text: `${input.text}\r\n` }).end === "refused"
  )
    return [];
  return aspects(ours, theirs).map((aspect) => ({ aspect, input, ours, theirs }));
}

function aspects(ours: Seen, theirs: Seen): Aspect[] {
  const found: Aspect[] = [];
  const { head } = ours;
  if (theirs.end === "refused" && head !== undefined && (ours.end !== "refused" || theirs.head === undefined)) {
    found.push("accepted");
  }
  // llhttp hands out a head before it says that its framing is wrong: refused in the same place, all the same.
  const isTaken = theirs.head !== undefined && (theirs.end !== "refused" || theirs.at > ours.at + 1);
  if (ours.end === "refused" && isTaken && (head === undefined || theirs.end !== "refused")) found.push("refused");
  const areTaken = ours.end !== "refused" && theirs.end !== "refused";
  if (head !== undefined && theirs.head !== undefined) {
    if (!same(head.start, theirs.head.start)) found.push("start");
    if (!same(head.headers, theirs.head.headers)) found.push("headers");
    if (areTaken) {
      if (ours.end !== theirs.end || ours.at !== theirs.at) found.push("length");
      if (ours.body !== theirs.body) found.push("body");
      if (ours.end === "whole" && theirs.end === "whole" && !same(ours.trailers, theirs.trailers))
        found.push("trailers");
    }
  } else if (areTaken && head !== theirs.head) {
    found.push("length");
  }
  return found;
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, at) => text === b[at]);
}
