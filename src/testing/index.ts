export { testingErrors } from "./errors.ts";
export { pair } from "./pair.ts";
export type { PairOptions, PairStream } from "./pair.ts";
export { VirtualClock } from "./virtual-clock.ts";
