import { defineErrors, type ErrorFactory } from "../core/index.ts";

/** The codes of the module `client`. */
export const clientErrors = {
  "client.bad_proxy": ["misuse", "The proxy can't be used"],
  "client.bad_redirect": ["handshake_failed", "The server redirects to a URL that is not a WebSocket's"],
  "client.bad_url": ["misuse", "The URL is not a WebSocket's"],
  "client.cross_origin_redirect": ["handshake_failed", "The server redirects to another origin"],
  "client.insecure_redirect": ["handshake_failed", "The server redirects from wss: to ws:"],
  "client.missing_package": ["misuse", "A package that this needs is not installed"],
  "client.proxy_refused": ["handshake_failed", "The proxy refused the connection"],
  "client.too_many_redirects": ["limit", "The server redirects more often than the option redirects allows"],
} as const;

/** Makes an error of the module `client`. */
export const clientError: ErrorFactory<keyof typeof clientErrors> = defineErrors(clientErrors);
