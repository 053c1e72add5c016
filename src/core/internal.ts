// Exports for other folders of the package; users get index.ts.
export { AbortGuard } from "./abort-guard.ts";
export { currentContext } from "./async-context.ts";
export type { AsyncContext } from "./async-context.ts";
export { Batch, soon } from "./batch.ts";
export type { Flushing } from "./batch.ts";
export { blockSize, giveBack, giveBackChunk, SharedBlock, takeBlock, takeChunk } from "./block-pool.ts";
export { bytesOf, copyInto, copyOf, dropFront, isPairs, notSendable, takeFront } from "./bytes.ts";
export { afterPoll, attentive, type AttentiveClock } from "./attentive-clock.ts";
export { checkClock } from "./clock.ts";
export { checkHandler, completeUnbound, handled, isPromise, rejected } from "./completion.ts";
export { Deadline } from "./deadline.ts";
export { DuplexStream, peerOf } from "./duplex.ts";
export { inspect, shownWith, withoutStack } from "./error.ts";
export { invalidArgument, operationPending } from "./errors.ts";
export { checkByteStream } from "./next-layer.ts";
export { abortSignalOf, CancellationSlot, checkSignal, offAbort, onAbort } from "./on-abort.ts";
export type { Cancellation } from "./on-abort.ts";
export {
  checkBoolean,
  checkChoice,
  checkFunction,
  checkNoArguments,
  checkNumber,
  checkObject,
  checkOptions,
  checkString,
  isPlainObject,
  nearest,
  optionSet,
  ownOptions,
  show,
} from "./check-options.ts";
export type { NumberRule, OptionSet } from "./check-options.ts";
export { reportError, runReported } from "./report.ts";
export { internetPeer } from "./byte-stream.ts";
export { beginSource, discardSource, keepError, piecesOf, stopSource } from "./sources.ts";
export { SharedTimer } from "./shared-timer.ts";
export type { Expiring } from "./shared-timer.ts";
export {
  allocate,
  decodeLatin1,
  decodeText,
  decodeUtf8,
  encodeLatin1,
  encodeUtf8,
  isValidUtf8,
  longestText,
  utf8Length,
  writeLatin1,
  writeUtf8,
} from "./text.ts";
export { teardownIn } from "./teardown.ts";
export { refilled } from "./token-bucket.ts";
export { handlersFor, Receiver, TransportStream } from "./transport-stream.ts";
export { cost, costOf, turnBudget } from "./turn-budget.ts";
export type { TurnMember, TurnWaiter } from "./turn-budget.ts";
