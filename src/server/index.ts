export type { ServeOptions } from "./options.ts";
export type { Fetch } from "./plain-http.ts";
export { serve } from "./serve.ts";
export type { Server } from "./serve.ts";
