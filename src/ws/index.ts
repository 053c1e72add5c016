export type { ConnectionOptions, NegotiatedDeflate, OpeningWebSocket, ReadyState } from "./opening.ts";
export { CloseEvent, ErrorEvent, Event, MessageEvent } from "./events.ts";
export { extension } from "./extension.ts";
export { PerMessageDeflate } from "./permessage-deflate.ts";
export { subprotocol } from "./subprotocol.ts";
