import { checkBoolean, checkOptions, invalidArgument, optionSet, show, type OptionSet } from "../../core/internal.ts";
import type { SendOptions } from "./options.ts";

// The names of the options of single operations.

/** Of `read`, `readSome`, `nextMessage`, and a message's `bytes` and `text`. */
export const readOptions: OptionSet = optionSet("read", ["signal"], "{ signal }");

/** Of `write` and `writeSome`. */
export const writeOptions: OptionSet = optionSet("write", ["kind", "compress", "signal"], "{ compress: false }");

/** Of `send`, `prepare` and `publish`. */
export const sendOptions: OptionSet = optionSet("send", ["kind", "compress"], "{ compress: false }");

/** Of `ping` and `pong`. */
export const controlOptions: OptionSet = optionSet("ping", ["signal"], "{ signal }");

export const closeOptions: OptionSet = optionSet(
  "close",
  ["code", "reason", "signal"],
  '{ code: 4000, reason: "bye" }',
);

export const acceptOptions: OptionSet = optionSet("accept", ["buffered", "signal"], "{ signal }");

export const handshakeOptions: OptionSet = optionSet(
  "handshake",
  ["protocols", "headers", "signal"],
  '{ protocols: ["chat"] }',
);

/** The options of a message to be sent. */
export function checkSendOptions(set: OptionSet, options: SendOptions, taker: string = set.taker): void {
  checkOptions(set, options, taker);
  checkSendValues(options);
}

/** The values of options whose names are known. */
export function checkSendValues(options: SendOptions): void {
  if (options.kind !== undefined) checkKind(options.kind);
  checkBoolean("compress", options.compress, true);
}

/** What bytes are to be sent as, if it is one of the two. */
export function checkKind(kind: "text" | "binary"): "text" | "binary" {
  if (kind === "text" || kind === "binary") return kind;
  throw invalidArgument(`kind must be "text" or "binary", not ${show(kind)}`);
}
