// Ways to make a message into one that is almost the same.
import { corpus } from "./http-corpus.ts";
import { ours, type Input } from "./http-seen.ts";
import { fc, seed } from "../../support/property.ts";

/** One change of a text. Positions are taken modulo what there is of places. */
type Mutation = (text: string) => string;

/** Pieces that parsers have been seen to disagree about. */
const pieces: readonly string[] = [
  ...'\0\t\n\v\f\r !"#,-./0:;=?@_aAx\\\x7f\x80\x85\xa0\xad\xff',
  "\r\n",
  "\n\n",
  "\r\r",
  "\r\n\r\n",
  "\n\r\n",
  "\r\n ",
  "\r\n\t",
  "  ",
  "0x",
  "00000000",
  "ffffffff",
  "0\r\n\r\n",
  "5\r\n",
  ";a=b",
  ';a="b',
  "HTTP/1.1",
  "HTTP/1.0",
  "http://a",
  "chunked",
  "identity",
  "gzip",
  ", ",
  ",chunked",
  "close",
  "keep-alive",
  "upgrade",
];

/** Lines that say how a message is framed, or seem to. */
const lines: readonly string[] = [
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: gzip",
  "Transfer-Encoding:",
  "transfer-encoding:chunked ",
  "Content-Length: 0",
  "Content-Length: 3",
  "Content-Length: 5",
  "content-length:5 ",
  "Content-Length:",
  "Connection: close",
  "Connection: Upgrade",
  "Upgrade: a",
  "Host: b",
  "Expect: 100-continue",
  "Trailer: A",
  " folded",
  "\tfolded",
  "A: b",
  "A:",
  "0",
  "3",
  "",
  "GET / HTTP/1.1",
  "HTTP/1.1 204 No Content",
  "HTTP/1.1 100 Continue",
];

const position = fc.nat({ max: 0xffff });
const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...pieces) },
  { weight: 1, arbitrary: fc.nat({ max: 255 }).map((code) => String.fromCharCode(code)) },
);

/** Where something is told apart: beside these, odd bytes do most. */
function seams(text: string): number[] {
  const found = [0, text.length];
  for (const { index, 0: seam } of text.matchAll(/\r\n|[: ;,="]/g)) {
    for (let at = index; at <= index + seam.length; at++) found.push(at);
  }
  return found;
}

function splice(text: string, at: number, removed: number, added: string): string {
  return text.slice(0, at) + added + text.slice(at + removed);
}

function onLines(change: (all: string[], at: number) => void): (at: number) => Mutation {
  return (at) => (text) => {
    const all = text.split("\r\n");
    change(all, at % all.length);
    return all.join("\r\n");
  };
}

const other = (at: number): string => corpus[at % corpus.length]!.text;

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  // By the grammar.
  {
    weight: 8,
    arbitrary: fc.tuple(position, piece).map(([at, added]): Mutation => (text) => {
      const all = seams(text);
      return splice(text, all[at % all.length]!, 0, added);
    }),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(position, piece).map(([at, added]): Mutation => (text) => {
      const all = seams(text);
      return splice(text, all[at % all.length]!, 1, added);
    }),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(position, fc.constantFrom(...lines))
      .map(([at, line]) => onLines((all, index) => all.splice(index, 0, line))(at)),
  },
  { weight: 1, arbitrary: position.map(onLines((all, at) => all.splice(at, 1))) },
  { weight: 1, arbitrary: position.map(onLines((all, at) => all.splice(at, 0, all[at]!))) },
  {
    weight: 1,
    arbitrary: position.map(onLines((all, at) => all.splice(at, 2, ...all.slice(at, at + 2).toReversed()))),
  },
  {
    weight: 1,
    arbitrary: position.map((at): Mutation => (text) => {
      const index = at % (text.length + 1);
      return splice(
        text,
        index,
        1,
        text.slice(index, index + 1).replace(/[A-Za-z]/, (letter) => String.fromCharCode(letter.charCodeAt(0) ^ 0x20)),
      );
    }),
  },
  // By bytes.
  {
    weight: 2,
    arbitrary: fc.tuple(position, fc.nat({ max: 7 })).map(([at, bit]): Mutation => (text) => {
      if (text === "") return text;
      const index = at % text.length;
      return splice(text, index, 1, String.fromCharCode(text.charCodeAt(index) ^ (1 << bit)));
    }),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(position, fc.nat({ max: 3 }), piece).map(
      ([at, removed, added]): Mutation =>
        (text) =>
          splice(text, at % (text.length + 1), removed, added),
    ),
  },
  {
    weight: 1,
    arbitrary: position.map(
      (at): Mutation =>
        (text) =>
          text.slice(0, at % (text.length + 1)),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(position, position, position).map(([which, from, to]): Mutation => (text) => {
      const tail = other(which);
      return text.slice(0, to % (text.length + 1)) + tail.slice(from % (tail.length + 1));
    }),
  },
);

// Long ones take long, and their length is all there is about them.
const short = corpus.filter(({ text }) => text.length < 2000);
/** Most of the corpus is refused already, and a change does not mend it. */
const sound = short.filter((input) => ours(input).end === "whole");

/** A message of the corpus, changed a few times. */
const mutated: fc.Arbitrary<Input> = fc
  .record({
    from: fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...sound) },
      { weight: 1, arbitrary: fc.constantFrom(...short) },
    ),
    changes: fc.array(mutation, { minLength: 1, maxLength: 3, size: "max" }),
    method: fc.option(fc.constantFrom("HEAD", "CONNECT"), { nil: "GET", freq: 8 }),
  })
  .map(({ from, changes, method }) => ({
    ...from,
    ...(from.kind === "response" && { method }),
    text: changes.reduce((text, change) => change(text), from.text),
  }));

/**
 * Looks at so many mutated messages, or as many as SOAK says, the same ones each time but for another SEED. Returns how
 * many there were. What `look` throws comes with the smallest message for which it does, and with the seed.
 */
export function eachMutated(usual: number, look: (input: Input) => void): number {
  const count = Number(process.env.SOAK ?? usual);
  const property = fc.property(mutated, look);
  // In portions, since what is generated is kept until the end.
  const size = 100_000;
  for (let done = 0; done < count; done += size) {
    const numRuns = Math.min(count - done, size);
    fc.assert(property, { numRuns, seed: seed + done / size, includeErrorInReport: true });
  }
  return count;
}
