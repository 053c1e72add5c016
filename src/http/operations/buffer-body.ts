import type { BodyStream } from "../messages/body.ts";

/**
 * A body of unknown size whose parts are put into a `Serializer` by hand, and written by `writeSome`: what `write` would
 * send of it is nothing.
 */
export const bufferBody: BodyStream = {
  async *[Symbol.asyncIterator]() {},
};
