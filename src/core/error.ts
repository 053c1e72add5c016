/**
 * The class of a failure, for programs to switch on. The exact `code` is for logs and for people.
 *
 * - `handshake_failed`: the opening handshake was refused, by either side
 * - `protocol_violation`: the peer's bytes break HTTP or WebSocket
 * - `limit`: a configured limit was exceeded
 * - `timeout`: a deadline passed
 * - `aborted`: this side ended the operation (a signal, `close`, `terminate`)
 * - `closed`: the other side ended in an orderly way
 * - `transport`: the layer below failed; `cause` has its error
 * - `misuse`: the caller broke a rule of the API, a bug in the program
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

/** How a WebSocket ended (RFC 6455 sections 7.1.5 and 7.1.6). */
export interface CloseInfo {
  /** The close code: 1005 for a close frame without one, 1006 if no close frame was received. */
  readonly code: number;
  /** The close reason, possibly empty. */
  readonly reason: string;
  /** Whether both sides exchanged close frames before the transport ended. */
  readonly clean: boolean;
}

/**
 * The headers of a {@link ResponseLike} in order, looked up without regard to case; implemented by the class `Fields`
 * of `http`.
 */
export interface HeadersLike extends Iterable<[name: string, value: string]> {
  /** The values of all lines of this name, combined as by fetch's `Headers`; undefined if there is none. */
  get(name: string): string | undefined;
  /** The value of the first line of this name. */
  first(name: string): string | undefined;
}

/** An HTTP response carried by an error; implemented by the class `Response` of `http`. */
export interface ResponseLike {
  /** The status code: 403. */
  readonly status: number;
  /** The reason phrase, possibly empty: `Forbidden`. */
  readonly reason: string;
  /** The headers. */
  readonly headers: HeadersLike;
  /** The body, possibly empty. */
  readonly body: Uint8Array;
}

/** The optional parts of a {@link ServalError}. */
export interface ErrorDetails {
  /** What caused the failure: the transport's error, a signal's reason. */
  cause?: unknown;
  /** Replaces the code's message, to say more. */
  message?: string;
  /** How the connection ended, for `websocket.closed`. */
  close?: CloseInfo;
  /** The response that refused a client's handshake. */
  response?: ResponseLike;
}

/** The most frames of this library between the caller and the check that found misuse. */
const ownFrames = 12;

/** A program may have frozen the property. */
const canSetLimit = Object.getOwnPropertyDescriptor(Error, "stackTraceLimit")?.writable === true;

/** An error of the platform's class whose stack would say nothing. */
export function withoutStack(message: string): Error {
  const limit = Error.stackTraceLimit;
  if (canSetLimit) Error.stackTraceLimit = 0;
  const error = new Error(message);
  if (canSetLimit) Error.stackTraceLimit = limit;
  return error;
}

/** Of an object's method that tells Node.js what `console.log` shows. */
export const inspect: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/** A copy of an object for `console.log`, which shows it with these properties. */
export function shownWith(object: object, properties: PropertyDescriptorMap): object {
  const descriptors = { ...Object.getOwnPropertyDescriptors(object), [inspect]: { value: undefined }, ...properties };
  return Object.create(Object.getPrototypeOf(object) as object, descriptors) as object;
}

/**
 * The library's only error class. `code` names the exact failure (`"websocket.bad_sec_key"`), {@link condition} its
 * class.
 */
export class ServalError extends Error {
  /** The exact failure, `module.words`, stable across releases. */
  readonly code: string;
  /** The class of the failure. */
  readonly condition: Condition;
  /** How the connection ended, for the code `websocket.closed`; otherwise undefined. */
  declare readonly close: CloseInfo | undefined;
  /**
   * The response that refused a client's handshake: for `websocket.upgrade_declined` and the like. It is not enumerable:
   * `console.log` shows it, but a log that takes all properties of an error gets no body of the peer's.
   */
  declare readonly response: ResponseLike | undefined;

  /**
   * Only misuse has a stack, which leads to the caller's bug. The stack of other failures says nothing, and taking it
   * is most of the cost of a refused connection.
   */
  constructor(code: string, condition: Condition, message: string, details: ErrorDetails = {}) {
    const limit = Error.stackTraceLimit;
    // Frames of this library may lie above the caller's, so that many more are taken.
    if (canSetLimit) Error.stackTraceLimit = condition === "misuse" ? limit + ownFrames : 0;
    super(details.message ?? message, "cause" in details ? { cause: details.cause } : undefined);
    if (canSetLimit) Error.stackTraceLimit = limit;
    this.code = code;
    this.condition = condition;
    const { close, response } = details;
    if (close !== undefined) this.close = close;
    // Node.js shows an uncaught error without custom inspection, and would fill the terminal with a list of bytes.
    if (response !== undefined) Object.defineProperty(this, "response", { value: response });
  }

  /** What `console.log` of Node.js shows. @internal */
  [inspect](): object {
    return shownWith(this, this.response === undefined ? {} : { response: { value: this.response, enumerable: true } });
  }
}

// On the prototype, like the platform's errors: it costs an instance nothing, and is not listed as a property.
Object.defineProperty(ServalError.prototype, "name", {
  configurable: true,
  get(this: ServalError): string {
    // Code that handles AbortSignal looks for this name.
    return this.code === "core.aborted" ? "AbortError" : "ServalError";
  },
});

/** A module's table of error codes, each with its condition and message. */
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
