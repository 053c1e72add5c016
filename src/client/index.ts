export type { BackoffOptions } from "./backoff.ts";
export { connect } from "./connect.ts";
export type { Connect } from "./connect.ts";
export { clientErrors } from "./errors.ts";
export type { ForeverOptions, Retry } from "./forever.ts";
export type { ConnectOptions, RedirectOptions, TlsOptions } from "./options.ts";
