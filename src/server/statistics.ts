import { ServalError } from "../core/index.ts";
import { passedDeadline } from "../http/internal.ts";
import type { Transport } from "../net/index.ts";
import type { Statistics } from "../websocket/index.ts";

/** Why a connection or request was refused. */
export type Refusal =
  /** `maxConnections` was reached: 503. */
  | "maxConnections"
  /** `maxConnectionsPerAddress` was reached for its address: 429. */
  | "maxConnectionsPerAddress"
  /** Its Origin is not allowed: 403. */
  | "origins"
  /** The server is draining: 503. */
  | "draining"
  /** The hook `upgrade` refused it. */
  | "declined"
  /** The hook `upgrade` or `decorate` failed: 500. */
  | "failed"
  /** With `mount`: another listener has answered an upgrade of the mount's own `path`. */
  | "taken"
  /** The request, or the WebSocket handshake, was invalid: 400, 405, 414, 417, 426, 431, 501 or 505. */
  | "malformed";

/** A limit, by the name of its option. */
export type Limit =
  /** The PROXY header, TLS or the upgrade took too long: the connection ends without a response. */
  | "timeouts.handshake"
  /** The head of a request took too long: 408 if part of it had come, else the connection ends. */
  | "timeouts.header"
  /** The body of a request took too long: 408. */
  | "timeouts.body"
  /** A client took none of a response for too long: the connection ends. */
  | "timeouts.write"
  /** A peer was silent for too long: the connection ends (1006). */
  | "timeouts.idle"
  /** A request's head was too large: 431, 414 for its target. */
  | "maxHeaderSize"
  /** A request had too many headers: 431. */
  | "maxHeadersCount"
  /** The body of a plain request was too large: 413. */
  | "maxBodySize"
  /** A message was too large: 1009. */
  | "maxMessageSize"
  /** A message had too many fragments: 1008. */
  | "maxFragments"
  /** The unsent output exceeded the limit: the connection ends (1006), or the message was dropped. */
  | "maxBufferedAmount"
  /** A peer sent too fast: it was slowed down, or closed with 1008. */
  | "rate";

/** Counts that are summed over all sockets. */
const sums = [
  "messagesReceived",
  "messagesSent",
  "messagesDropped",
  "bytesReceived",
  "bytesSent",
  "payloadReceived",
  "payloadSent",
] as const;

/**
 * The counts of a server since its start: `server.stats()`. Messages and bytes are those of all WebSockets, open and
 * ended, as in `ws.stats()`.
 */
export interface ServerStatistics extends Pick<Statistics, (typeof sums)[number]> {
  /** What drives the connections: see the option `transport`. With `mount` it is `"socket"`. */
  readonly transport: Transport;
  /** How many connections are open now, and how many of them are WebSockets. */
  readonly connections: number;
  readonly sockets: number;
  /** How many topics there are now, and subscriptions to them. */
  readonly topics: number;
  readonly subscriptions: number;
  /** How many bytes wait to be sent to WebSockets now. */
  readonly bufferedAmount: number;
  /** How many connections were accepted, and plain requests answered. */
  readonly accepted: number;
  readonly requests: number;
  /** How many clients were gone before their request or upgrade was answered. */
  readonly abandoned: number;
  /** How many WebSockets were opened, and how many have ended, by close code. */
  readonly opened: number;
  readonly closed: Readonly<Record<number, number>>;
  /** Refusals, by reason. */
  readonly refused: Readonly<Record<Refusal, number>>;
  /** How often each limit was reached, by option. */
  readonly limits: Readonly<Record<Limit, number>>;
  /**
   * How many connections and calls of `fetch` failed, by error code: for a `fetch` that throws something that is no
   * `ServalError`, `http.handler_failed`.
   */
  readonly errors: Readonly<Record<string, number>>;
}

type Sums = Record<(typeof sums)[number], number>;

const limitOf: Readonly<Record<string, Limit>> = {
  "http.field_limit": "maxHeadersCount",
  "http.header_limit": "maxHeaderSize",
  "http.method_limit": "maxHeaderSize",
  "http.target_limit": "maxHeaderSize",
  "http.body_limit": "maxBodySize",
  "websocket.buffer_overflow": "maxHeaderSize",
  "websocket.message_too_big": "maxMessageSize",
  "websocket.too_many_fragments": "maxFragments",
  "websocket.queue_overflow": "maxBufferedAmount",
  "websocket.rate_exceeded": "rate",
};

/** The counters of a server. */
export class Counters {
  accepted = 0;
  requests = 0;
  abandoned = 0;
  opened = 0;
  readonly closed: Record<number, number> = {};
  readonly refused: Record<Refusal, number> = {
    maxConnections: 0,
    maxConnectionsPerAddress: 0,
    origins: 0,
    draining: 0,
    declined: 0,
    failed: 0,
    taken: 0,
    malformed: 0,
  };
  readonly limits: Record<Limit, number> = {
    "timeouts.handshake": 0,
    "timeouts.header": 0,
    "timeouts.body": 0,
    "timeouts.write": 0,
    "timeouts.idle": 0,
    maxHeaderSize: 0,
    maxHeadersCount: 0,
    maxBodySize: 0,
    maxMessageSize: 0,
    maxFragments: 0,
    maxBufferedAmount: 0,
    rate: 0,
  };
  readonly errors: Record<string, number> = {};
  /** The sums of sockets that have ended. */
  readonly #ended: Sums = zeros();

  /** Counts the failure of a connection that was opening or open. */
  failed(error: ServalError, isOpen: boolean): void {
    const { code } = error;
    this.errors[code] = (this.errors[code] ?? 0) + 1;
    const limit = code === "core.timeout" ? deadlineOf(error, isOpen) : limitOf[code];
    if (limit !== undefined) this.limits[limit]++;
  }

  /** Counts a failure of `fetch`, or of the body of its response. */
  fetchFailed(error: unknown): void {
    const code = error instanceof ServalError ? error.code : "http.handler_failed";
    this.errors[code] = (this.errors[code] ?? 0) + 1;
  }

  /** Counts the end of an open socket, by its close code. */
  ended(code: number, statistics: Statistics): void {
    this.closed[code] = (this.closed[code] ?? 0) + 1;
    add(this.#ended, statistics);
    this.#addLimits(this.limits, statistics);
  }

  /** All counts, including those of open sockets. */
  statistics(
    now: Pick<ServerStatistics, "transport" | "connections" | "sockets" | "topics" | "subscriptions">,
    open: Iterable<Statistics>,
  ): ServerStatistics {
    const total = { ...this.#ended };
    const limits = { ...this.limits };
    let bufferedAmount = 0;
    for (const statistics of open) {
      add(total, statistics);
      this.#addLimits(limits, statistics);
      bufferedAmount += statistics.bufferedAmount;
    }
    const { accepted, requests, abandoned, opened } = this;
    const copies = { closed: { ...this.closed }, refused: { ...this.refused }, limits, errors: { ...this.errors } };
    return { ...now, bufferedAmount, accepted, requests, abandoned, opened, ...copies, ...total };
  }

  /** Limits that a connection reaches without failing. */
  #addLimits(limits: Record<Limit, number>, { messagesDropped, throttles }: Statistics): void {
    limits.maxBufferedAmount += messagesDropped;
    limits.rate += throttles;
  }
}

function deadlineOf(error: ServalError, isOpen: boolean): Limit {
  const ofRequests = passedDeadline(error);
  if (ofRequests !== undefined) return `timeouts.${ofRequests}`;
  return isOpen ? "timeouts.idle" : "timeouts.handshake";
}

function zeros(): Sums {
  return Object.fromEntries(sums.map((name) => [name, 0])) as Sums;
}

function add(total: Sums, statistics: Statistics): void {
  for (const name of sums) total[name] += statistics[name];
}
