export type { Target } from "./address.ts";
export { connect } from "./connect.ts";
export type { ConnectOptions } from "./connect.ts";
export { netError, netErrors } from "./errors.ts";
export { listen } from "./listen.ts";
export type { ConnectionHandler, Listener, ListenOptions } from "./listen.ts";
export { SocketStream } from "./socket-stream.ts";
