import { channel, type Channel } from "node:diagnostics_channel";
import type { Peer } from "../core/index.ts";
import type { Request } from "../http/index.ts";
import type { MessageData } from "../websocket/index.ts";
import type { ServerWebSocket } from "./server-websocket.ts";
import type { Refusal } from "./statistics.ts";

/**
 * The messages published on the channels of `node:diagnostics_channel`, by channel name. Without subscribers none are
 * made. A subscriber is called synchronously. Its exceptions do not harm the connection, but Node.js rethrows them
 * later as uncaught exceptions, which end the process unless they are handled.
 */
export interface ChannelMessages {
  /**
   * A request to open a WebSocket was admitted and is being answered. `serval:open` or `serval:refusal` follows, or
   * neither if the client leaves or the hook `upgrade` takes longer than `timeouts.handshake`.
   */
  "serval:handshake": { readonly ws: ServerWebSocket; readonly request: Request };
  /** A WebSocket is open. */
  "serval:open": { readonly ws: ServerWebSocket };
  /** A whole message was received; messages read in parts are not published. */
  "serval:message": { readonly ws: ServerWebSocket; readonly message: MessageData };
  /** An open WebSocket has ended. */
  "serval:close": {
    readonly ws: ServerWebSocket;
    readonly code: number;
    readonly reason: string;
    readonly clean: boolean;
  };
  /** A connection or request was refused; `ws` is set if its handshake had begun. */
  "serval:refusal": {
    readonly reason: Refusal;
    readonly peer: Peer | undefined;
    readonly request?: Request | undefined;
    readonly ws?: ServerWebSocket | undefined;
    readonly error?: Error | undefined;
  };
  /** `bufferedAmount` has reached `highWaterMark`: the peer reads slowly. */
  "serval:backpressure": { readonly ws: ServerWebSocket; readonly bufferedAmount: number };
}

/** A channel with typed messages. */
interface TypedChannel<Message> extends Pick<Channel, "hasSubscribers"> {
  publish(message: Message): void;
}

function open<Name extends keyof ChannelMessages>(name: Name): TypedChannel<ChannelMessages[Name]> {
  return channel(name) as TypedChannel<ChannelMessages[Name]>;
}

export const handshakes: TypedChannel<ChannelMessages["serval:handshake"]> = open("serval:handshake");
export const opens: TypedChannel<ChannelMessages["serval:open"]> = open("serval:open");
export const messages: TypedChannel<ChannelMessages["serval:message"]> = open("serval:message");
export const closes: TypedChannel<ChannelMessages["serval:close"]> = open("serval:close");
export const refusals: TypedChannel<ChannelMessages["serval:refusal"]> = open("serval:refusal");
export const backpressures: TypedChannel<ChannelMessages["serval:backpressure"]> = open("serval:backpressure");
