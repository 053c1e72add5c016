import { checkBoolean, checkOptions, invalidArgument, optionSet, show, type OptionSet } from "../../core/internal.ts";
import type { SendOptions } from "./options.ts";

// The option names of single operations.

/** For `read`, `readSome`, `nextMessage`, and a message's `bytes` and `text`. */
export const readOptions: OptionSet = optionSet("read", ["signal"], "{ signal }");

export const writeOptions: OptionSet = optionSet(
  "write",
  ["kind", "compress", "signal", "abortCode"],
  "{ compress: false }",
);

export const writeSomeOptions: OptionSet = optionSet(
  "writeSome",
  ["kind", "compress", "signal"],
  "{ compress: false }",
);

/** For `send`, `prepare` and `publish`. */
export const sendOptions: OptionSet = optionSet("send", ["kind", "compress"], "{ compress: false }");

/** For `ping` and `pong`. */
export const controlOptions: OptionSet = optionSet("ping", ["signal"], "{ signal }");

export const closeOptions: OptionSet = optionSet(
  "close",
  ["code", "reason", "signal"],
  '{ code: 4000, reason: "bye" }',
);

export const acceptOptions: OptionSet = optionSet("accept", ["buffered", "signal"], "{ signal }");

export const attachOptions: OptionSet = optionSet(
  "attach",
  ["role", "request", "response", "data", "subprotocol", "extensions", "buffered"],
  '{ role: "server" }',
);

export const handshakeOptions: OptionSet = optionSet(
  "handshake",
  ["protocols", "headers", "signal"],
  '{ protocols: ["chat"] }',
);

/** Checks the options of a message to be sent. */
export function checkSendOptions(set: OptionSet, options: SendOptions, taker: string = set.taker): void {
  checkOptions(set, options, taker);
  checkSendValues(options);
}

/** Checks the values of options whose names were checked. */
export function checkSendValues(options: SendOptions): void {
  if (options.kind !== undefined) checkKind(options.kind);
  checkBoolean("compress", options.compress, true);
}

/** Checks the kind of message that bytes are sent as. */
export function checkKind(kind: "text" | "binary"): "text" | "binary" {
  if (kind === "text" || kind === "binary") return kind;
  throw invalidArgument(`kind must be "text" or "binary", not ${show(kind)}`);
}
