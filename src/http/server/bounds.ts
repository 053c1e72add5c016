// Fixed bounds of one connection, which are no options.

/** When this many bytes are collected, they are written before more requests are answered. */
export const mostGathered: number = 64 * 1024;

/** How many bytes of an unread body are read so that the connection can be kept. */
export const mostDrained: number = 64 * 1024;

/** How many milliseconds a client has to end its side after ours has ended. */
export const lingerMs = 5_000;

/** How many bytes a client may still send meanwhile: more than a sender has in flight when it is told to stop. */
export const mostLingering: number = 16 * 1024 * 1024;
