// A connection over a stream whose reads complete when the test says so, and whose writes never do.
import type { ByteStream, ReadHandler } from "../../../src/core/index.ts";
import { currentContext } from "../../../src/core/internal.ts";
import { Connection } from "../../../src/websocket/connection/connection.ts";
import type { HandlersOf } from "../../../src/websocket/options/handlers.ts";
import { Settings } from "../../../src/websocket/options/settings.ts";
import { quiet } from "../../support/quiet.ts";
import { concat } from "./frames.ts";

/** A connection in the server role, without deadlines. */
export class ManualReads {
  readonly connection: Connection<undefined>;
  /** The read in flight. */
  reader: ReadHandler | undefined;

  constructor(handlers: HandlersOf<undefined>) {
    const settings = new Settings<undefined>({ timeouts: { handshake: Infinity, idle: Infinity }, ...handlers });
    const next = {
      readSome: (handler: ReadHandler) => void (this.reader = handler),
      writeSome() {},
      close() {},
      shutdown() {},
    } as unknown as ByteStream;
    const opened = { role: "server", deflate: undefined, context: currentContext() } as const;
    this.connection = new Connection(undefined, next, opened, settings, () => {});
  }

  /** Begins, and waits for the first read. */
  async begin(): Promise<this> {
    this.connection.start(new Uint8Array(0));
    await quiet();
    return this;
  }

  /** Completes the read in flight with these frames. */
  deliver(...frames: Uint8Array[]): void {
    const { reader } = this;
    this.reader = undefined;
    reader!(undefined, concat(...frames));
  }
}
