// What messages are made of.
import type { MessageData } from "../../../src/websocket/index.ts";
import { concat } from "../../websocket/support/frames.ts";
import { fc } from "../../support/property.ts";
import type { Window } from "./deflate.ts";

/** Bytes that are worth compressing, and some that are not. */
const bytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 4, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat({ max: 60 }))
      .map(([unit, times]) => concat(...Array.from({ length: times }, () => unit))),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.nat({ max: 200_000 }), fc.constantFrom(7, 13, 30))
      .map(([size, shift]) => new Uint8Array(size).map((_, i) => Math.imul(i, 2_654_435_761) >>> shift)),
  },
);
const texts: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 100 }),
  fc
    .tuple(fc.string({ unit: "binary", minLength: 1, maxLength: 20 }), fc.nat({ max: 300 }))
    .map(([unit, times]) => unit.repeat(times)),
);

/** A message. */
export const data: fc.Arbitrary<MessageData> = fc.oneof(bytes, texts);

/** What was agreed on for the messages of one direction; undefined for no compression. */
export const window: fc.Arbitrary<Window | undefined> = fc.option(
  fc.record({ bits: fc.integer({ min: 8, max: 15 }), takeover: fc.boolean() }),
  { nil: undefined },
);

/** A message of this kind as it is received whole. */
export const whole = (kind: "text" | "binary", bytes: Uint8Array): MessageData =>
  kind === "text" ? new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) : bytes;
