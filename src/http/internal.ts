// Exports for other folders of the package; users get index.ts.
export { httpError } from "./messages/errors.ts";
export { skipOws, tokenEnd } from "./messages/grammar.ts";
export { responseFromFetch } from "./messages/response.ts";
export { isRedirect, statusText } from "./messages/status.ts";
export { refusalStatus } from "./messages/refusal-status.ts";
export { pathOf } from "./messages/target.ts";
export { readRefusal } from "./operations/read-refusal.ts";
export { isAbandoned } from "./server/exchange.ts";
export { Lingering } from "./server/lingering.ts";
export { passedDeadline } from "./server/passed-deadline.ts";
export { ServeSettings } from "./server/serve-options.ts";
export { serveBy } from "./server/serve.ts";
export { isMalformedBody } from "./server/malformed-body.ts";
export type { FollowedExchange } from "./server/followed-exchange.ts";
export { servedRequest } from "./server/served-request.ts";
export { markRead, takeQueued } from "./server/stream-state.ts";
