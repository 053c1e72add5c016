// For the other folders of the package; users have index.ts.
export { basic, hostAndPort, parseUrl } from "./url.ts";
export type { Endpoint } from "./url.ts";
