import type { ServalError } from "../../core/index.ts";
import type { MessageData } from "./handlers.ts";

/** What has gone over a connection since it opened: `ws.stats()`. */
export interface Statistics {
  /** How many messages were received whole, and sent whole as far as this side is concerned. */
  readonly messagesReceived: number;
  readonly messagesSent: number;
  /** How many messages were not sent since there was no room, with the option `overflow: "drop"`. */
  readonly messagesDropped: number;
  /** Bytes on the wire after the handshake, frame headers and control frames included. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Bytes of messages, as the application sees them. */
  readonly payloadReceived: number;
  readonly payloadSent: number;
  /** Of the messages that were compressed, the size on the wire divided by their own; undefined where none was. */
  readonly compressionReceived: number | undefined;
  readonly compressionSent: number | undefined;
  /** How many bytes wait to be sent. */
  readonly bufferedAmount: number;
  /** How long the last ping took to be answered, in milliseconds; undefined where none was. */
  readonly roundTripTime: number | undefined;
  /** How often reading stopped because nobody took what had come. */
  readonly pauses: number;
  /** How often reading stopped because the peer sent faster than `rate` allows. */
  readonly throttles: number;
}

/** What a server is told of its connections, besides what the handlers of its application are. */
export interface Observer<Ws> {
  /** The connection is open; before the handler `open`. */
  opened(ws: Ws): void;
  /** A whole message goes to the application. */
  message(ws: Ws, message: MessageData): void;
  /** As much waits to be sent as `highWaterMark` says, and less did before. */
  backpressure(ws: Ws): void;
  /** So many more handlers that returned a promise are at work, or so many fewer. */
  working(change: 1 | -1): void;
  /** Why the connection fails; before the handler `error`. */
  failed(ws: Ws, error: ServalError): void;
}

/** What is on the wire of what there was; undefined where there was nothing. */
export function ratio(deflated: number, inflated: number): number | undefined {
  return inflated === 0 ? undefined : deflated / inflated;
}
