// What one connection may take before others have their turn, and what it is kept for: no options.

/** More than this, in bytes, is written before more requests are answered. */
export const mostGathered: number = 64 * 1024;

/** How many bytes of an unread body are read so that the connection can be kept. */
export const mostDrained: number = 64 * 1024;

/** How many milliseconds a client may take to end its side once we have ended ours. */
export const lingerMs = 5_000;

/** How many bytes a client may still send meanwhile: more than a sender has on its way when it is told to stop. */
export const mostLingering: number = 16 * 1024 * 1024;
