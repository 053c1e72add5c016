// Exports for other folders of the package; users get index.ts.
export { openTunnel } from "./tunnel.ts";
export { basic, hostAndPort, parseUrl, serverName, withHost } from "./url.ts";
export type { Endpoint } from "./url.ts";
