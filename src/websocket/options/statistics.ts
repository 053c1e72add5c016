import type { ServalError } from "../../core/index.ts";
import type { MessageData } from "./handlers.ts";

/** The counts of a connection since it opened: `ws.stats()`. */
export interface Statistics {
  /** How many messages were received whole, and sent whole to the transport. */
  readonly messagesReceived: number;
  readonly messagesSent: number;
  /** How many messages were not sent for lack of room, with `overflow: "drop"`. */
  readonly messagesDropped: number;
  /** Bytes on the wire after the handshake, with frame headers and control frames. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Bytes of messages, before compression. */
  readonly payloadReceived: number;
  readonly payloadSent: number;
  /** For compressed messages, the size on the wire divided by the uncompressed size; undefined if there were none. */
  readonly compressionReceived: number | undefined;
  readonly compressionSent: number | undefined;
  /** How many bytes wait to be sent. */
  readonly bufferedAmount: number;
  /** The round trip of the last ping that was answered, in milliseconds; undefined if there was none. */
  readonly roundTripTime: number | undefined;
  /** How often reading stopped because received messages were not taken. */
  readonly pauses: number;
  /** How often reading stopped because the peer exceeded `rate`. */
  readonly throttles: number;
  /** How often the connection had used up its share of a turn of the event loop, and waited for the next. */
  readonly turnsWaited: number;
  /** Received bytes that wait, since the application or the turn does not take them: at most one read's. */
  readonly bytesUnread: number;
}

/** What a server is told about its connections, besides the application's handlers. */
export interface Observer<Ws> {
  /** The connection is open; before the handler `open`. */
  opened(ws: Ws): void;
  /** A whole message goes to the application. */
  message(ws: Ws, message: MessageData): void;
  /** `bufferedAmount` has reached `highWaterMark`. */
  backpressure(ws: Ws): void;
  /** The number of handlers with an unsettled promise has changed. */
  working(change: 1 | -1): void;
  /** Why the connection fails; before the handler `error`. */
  failed(ws: Ws, error: ServalError): void;
}

/** The ratio of compressed to uncompressed size; undefined without any. */
export function ratio(deflated: number, inflated: number): number | undefined {
  return inflated === 0 ? undefined : deflated / inflated;
}
