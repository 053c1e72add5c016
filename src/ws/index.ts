export type { ConnectionOptions, NegotiatedDeflate, OpeningWebSocket, ReadyState } from "./opening.ts";
