// Exports for other folders of the package; users get index.ts.
export { checkNames } from "./address.ts";
export { connectBy } from "./connect.ts";
export { netError } from "./errors.ts";
export { wantedTransport } from "./sockets/transport.ts";
export { addressOf, parseIPv4, parseIPv6 } from "./ip-address.ts";
export {
  checkServerOptions as checkTlsServerOptions,
  checkTlsValues,
  serverContext,
  whyNoContext,
} from "./tls-options.ts";
