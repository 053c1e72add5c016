import type { BodyStream } from "../messages/body.ts";

/**
 * A body of unknown size whose parts are put into a `Serializer` by hand and written by `writeSome`. `write` would send
 * an empty body.
 */
export const bufferBody: BodyStream = {
  async *[Symbol.asyncIterator]() {},
};
