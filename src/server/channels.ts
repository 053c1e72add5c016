import { channel, type Channel } from "node:diagnostics_channel";
import type { Peer } from "../core/index.ts";
import type { Request } from "../http/index.ts";
import type { MessageData } from "../websocket/index.ts";
import type { ServerWebSocket } from "./server-websocket.ts";
import type { Refusal } from "./statistics.ts";

/**
 * What is published on the channels of `node:diagnostics_channel`, by the channel's name. Without subscribers nothing is
 * made for them. A subscriber is called at once; what it throws does no harm to the connection, but Node.js makes an
 * uncaught exception of it a little later, which ends the process unless someone takes it.
 */
export interface ChannelMessages {
  /**
   * A request to open a WebSocket was admitted, and is being answered. `serval:open` or `serval:refusal` follows, or
   * neither: where the client leaves, or the hook `upgrade` takes longer than `timeouts.handshake`.
   */
  "serval:handshake": { readonly ws: ServerWebSocket; readonly request: Request };
  /** A WebSocket is open. */
  "serval:open": { readonly ws: ServerWebSocket };
  /** A whole message has come; messages that are read in parts are not published. */
  "serval:message": { readonly ws: ServerWebSocket; readonly message: MessageData };
  /** An open WebSocket has ended. */
  "serval:close": {
    readonly ws: ServerWebSocket;
    readonly code: number;
    readonly reason: string;
    readonly clean: boolean;
  };
  /** A connection or a request was refused; `ws` where its handshake had begun. */
  "serval:refusal": {
    readonly reason: Refusal;
    readonly peer: Peer | undefined;
    readonly request?: Request | undefined;
    readonly ws?: ServerWebSocket | undefined;
    readonly error?: Error | undefined;
  };
  /** As much waits to be sent as `highWaterMark` says: the peer reads slowly. */
  "serval:backpressure": { readonly ws: ServerWebSocket; readonly bufferedAmount: number };
}

/** A channel for messages of a kind. */
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
