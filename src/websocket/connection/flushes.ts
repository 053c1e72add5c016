import { Batch } from "../../core/internal.ts";

/** Connections with unflushed output: all flush in one microtask after the current call. */
export const flushes: Batch = new Batch();

/** Connections whose application may answer more messages before the event loop turns. */
export const lateFlushes: Batch = new Batch((callback) => void setImmediate(callback));

/** Which of these a connection is in. */
export const flushing = { none: 0, soon: 1, late: 2 } as const;
