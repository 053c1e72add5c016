/**
 * The coarse class of a failure: what a program switches on. The exact `code` is for logs and for people.
 *
 * - `handshake_failed`: the opening handshake was refused, by either side
 * - `protocol_violation`: the peer's bytes break HTTP or WebSocket
 * - `limit`: a configured limit was exceeded
 * - `timeout`: a deadline passed
 * - `aborted`: this side gave the operation up (a signal, `close`, `terminate`)
 * - `closed`: the other side ended in an orderly way
 * - `transport`: the layer below failed; `cause` has its error
 * - `misuse`: the caller broke a rule of the API; a bug in the program
 */
export type Condition =
  | "handshake_failed"
  | "protocol_violation"
  | "limit"
  | "timeout"
  | "aborted"
  | "closed"
  | "transport"
  | "misuse";

/** How a WebSocket ended; see RFC 6455 section 7.1.5 and 7.1.6. */
export interface CloseInfo {
  /** The close code: 1005 for a close frame without one, 1006 where no close frame was received. */
  readonly code: number;
  /** The close reason, possibly empty. */
  readonly reason: string;
  /** Whether both sides exchanged close frames before the transport ended. */
  readonly clean: boolean;
}

/** The headers of a {@link ResponseLike} in order, looked up without regard to case; the class `Fields` of `http` is one. */
export interface HeadersLike extends Iterable<[name: string, value: string]> {
  /** The values of all lines of this name, combined as fetch's `Headers` does; undefined where there is none. */
  get(name: string): string | undefined;
  /** The value of the first line of this name. */
  first(name: string): string | undefined;
}

/** An HTTP response as an error carries it; the class `Response` of `http` is one. */
export interface ResponseLike {
  /** The status: 403. */
  readonly status: number;
  /** The reason phrase, possibly empty: `Forbidden`. */
  readonly reason: string;
  /** The headers. */
  readonly headers: HeadersLike;
  /** The body, possibly empty. */
  readonly body: Uint8Array;
}

/** What a {@link ServalError} may carry besides its code. */
export interface ErrorDetails {
  /** What led to the failure: the transport's own error, a signal's reason. */
  cause?: unknown;
  /** Replaces the code's own sentence where there is more to say. */
  message?: string;
  /** How the connection ended, with `websocket.closed`. */
  close?: CloseInfo;
  /** The response that a client's handshake failed with. */
  response?: ResponseLike;
}

/** How many calls of ours may lie between the caller's and the one that found the misuse. */
const ownFrames = 12;

/** A program may have frozen it. */
const canSetLimit = Object.getOwnPropertyDescriptor(Error, "stackTraceLimit")?.writable === true;

/**
 * The one error class of the library. `code` says exactly what failed (`"websocket.bad_sec_key"`), {@link condition}
 * which kind of failure that is.
 */
export class ServalError extends Error {
  /** The exact failure, `module.words`, stable across releases. */
  readonly code: string;
  /** The coarse class of the failure. */
  readonly condition: Condition;
  /** How the connection ended, with the code `websocket.closed`; otherwise undefined. */
  readonly close: CloseInfo | undefined;
  /** The response to a client's handshake that failed with it: `websocket.upgrade_declined` and its like. */
  readonly response: ResponseLike | undefined;

  /**
   * Only misuse has a stack: it names the caller's bug. What a peer or a clock does has none that would say anything,
   * and taking one is most of the price of a refused connection.
   */
  constructor(code: string, condition: Condition, message: string, details: ErrorDetails = {}) {
    const limit = Error.stackTraceLimit;
    // Of a stack that is there for the caller's line, as many of ours may lie above it.
    if (canSetLimit) Error.stackTraceLimit = condition === "misuse" ? limit + ownFrames : 0;
    super(details.message ?? message, "cause" in details ? { cause: details.cause } : undefined);
    if (canSetLimit) Error.stackTraceLimit = limit;
    this.code = code;
    this.condition = condition;
    this.close = details.close;
    this.response = details.response;
  }
}

// On the prototype, as the platform's errors have it: it costs an instance nothing and does not show up as a property.
Object.defineProperty(ServalError.prototype, "name", {
  configurable: true,
  get(this: ServalError): string {
    // What every `catch` that deals with AbortSignal looks for.
    return this.code === "core.aborted" ? "AbortError" : "ServalError";
  },
});

/** A module's table of error codes: each with its condition and one sentence. */
export type ErrorTable = Readonly<Record<string, readonly [Condition, string]>>;

/** Makes errors of one module's table, by code. */
export type ErrorFactory<Code extends string> = (code: Code, details?: ErrorDetails) => ServalError;

/** Turns a module's table of codes into the function that makes its errors. */
export function defineErrors<Table extends ErrorTable>(table: Table): ErrorFactory<keyof Table & string> {
  return (code, details) => {
    const [condition, message] = table[code]!;
    return new ServalError(code, condition, message, details);
  };
}
