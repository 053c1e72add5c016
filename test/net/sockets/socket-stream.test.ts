import assert from "node:assert/strict";
import { once } from "node:events";
import { Socket } from "node:net";
import { describe, it } from "node:test";
import type { ServalError } from "../../../src/core/index.ts";
import { connect } from "../../../src/net/index.ts";
import { listenBy } from "../../../src/net/listen.ts";
import type { Way } from "../../../src/net/sockets/transport.ts";
import { scrubReads } from "../../../src/net/sockets/read-block.ts";
import { isSocketStream, release } from "../../../src/net/sockets/socket-stream.ts";
import { pair } from "../../../src/testing/index.ts";
import {
  pattern,
  read,
  readOutcome,
  turns,
  until,
  watch,
  writeAll,
  writeOutcome,
} from "../../core/support/stream-operations.ts";
import { accepted, sendLast } from "../support/sockets.ts";

const host = "127.0.0.1";

for (const way of ["handle", "onread", "data"] satisfies Way[]) {
  describe(`a watched SocketStream, ${way}`, () => {
    it("sees a reset that comes together with the last bytes, and an end that does", async () => {
      for (const how of ["reset", "end"] as const) {
        const [stream, raw] = await accepted(way);
        const watched = watch(stream);
        sendLast(raw, how);
        assert.equal((await watched)?.code, how === "reset" ? "core.connection_reset" : undefined);
        assert.equal(String(await read(stream)), "last");
        stream.close();
        raw.destroy();
      }
    });

    it("sees it also after a read has taken it for an end; an end stays one, as often as it is asked for", async () => {
      for (const how of ["reset", "end"] as const) {
        const [stream, raw] = await accepted(way);
        const first = read(stream);
        sendLast(raw, how);
        assert.equal(String(await first), "last");
        await read(stream).catch(() => {});
        const code = how === "reset" ? "core.connection_reset" : undefined;
        for (let i = 0; i < 2; i++) assert.equal((await watch(stream))?.code, code);
        if (how === "end") assert.equal(await read(stream), undefined);
        else await assert.rejects(read(stream), { code });
        stream.close();
        raw.destroy();
      }
    });

    it("is not kept from its end by a write that the peer does not take", async () => {
      const [stream, raw] = await accepted(way);
      const first = read(stream);
      raw.end("last");
      assert.equal(String(await first), "last");
      assert.equal(await read(stream), undefined);
      raw.pause();
      let written = false;
      stream.writeSome(new Uint8Array(64 * 1024 * 1024), () => (written = true));
      assert.equal(await watch(stream), undefined);
      assert.equal(written, false);
      stream.close();
      raw.destroy();
    });
  });

  describe(`a SocketStream, ${way}`, () => {
    it("ends it cleanly when closed between writes", async () => {
      const [stream, raw] = await accepted(way);
      await writeAll(stream, Buffer.from("hello"));
      stream.close();
      const parts: Buffer[] = [];
      for await (const part of raw) parts.push(part as Buffer);
      assert.equal(String(Buffer.concat(parts)), "hello");
    });

    it("lets the event loop turn even if the kernel takes every write at once", async () => {
      const [stream, raw] = await accepted(way);
      let writes = 0;
      let hasTurned = false;
      setImmediate(() => (hasTurned = true));
      const chunk = Buffer.from("x");
      await new Promise<void>((resolve) => {
        const write = (): void =>
          stream.writeSome(chunk, () => {
            writes++;
            if (hasTurned) resolve();
            else write();
          });
        write();
      });
      assert.ok(writes <= 100, `${writes} writes in one turn`);
      stream.close();
      raw.destroy();
    });

    it("never shows one connection's bytes to another that awaits between reads", async () => {
      scrubReads(true);
      const listener = await listenBy(way, { port: 0, host }, (stream) => {
        void (async () => {
          try {
            for (let bytes = await read(stream); bytes !== undefined; bytes = await read(stream)) {
              await turns(1);
              await writeAll(stream, bytes);
            }
          } finally {
            stream.close();
          }
        })();
      });
      const exchange = async (seed: number): Promise<void> => {
        const stream = await connect({ port: listener.port, host });
        const sent = pattern(400_000, seed);
        const parts: Buffer[] = [];
        const writing = writeAll(stream, sent);
        for (let length = 0; length < sent.length; length += parts.at(-1)!.length) parts.push((await read(stream))!);
        await writing;
        stream.close();
        assert.ok(Buffer.concat(parts).equals(sent));
      };
      await Promise.all([1, 2, 3, 4, 5].map(exchange));
      await until(() => listener.connections === 0);
      await listener.close();
      scrubReads(false);
    });

    it("releases its socket once, if nothing has happened on it", async () => {
      const [stream, raw, listener] = await accepted(way);
      const socket = stream[release]();
      assert.ok(socket instanceof Socket);
      assert.equal(stream[release](), undefined);
      assert.equal((await readOutcome(stream)).error?.code, "core.operation_pending");
      assert.equal((await writeOutcome(stream, Buffer.from("x"))).error?.code, "core.operation_pending");
      const failure = once(socket, "error") as Promise<[ServalError]>;
      stream.close();
      assert.equal((await failure)[0].code, "core.aborted");
      await until(() => listener.connections === 0);
      assert.equal((await readOutcome(stream)).error?.code, "core.aborted");
      raw.destroy();
    });

    it("is closed when the new owner of its socket closes that", async () => {
      const [stream, raw] = await accepted(way);
      const socket = stream[release]()!;
      socket.destroy();
      await once(socket, "close");
      assert.equal((await readOutcome(stream)).error?.code, "core.aborted");
      raw.destroy();
    });

    it("does not release its socket after a read, during one, or after the end", async () => {
      const [stream, raw] = await accepted(way);
      const reading = read(stream);
      assert.equal(stream[release](), undefined);
      raw.write("x");
      await reading;
      assert.equal(stream[release](), undefined);
      stream.close();
      assert.equal(stream[release](), undefined);
      raw.destroy();
      const [other, otherRaw] = await accepted(way);
      otherRaw.end();
      assert.equal(await read(other), undefined);
      assert.equal(other[release](), undefined);
      other.close();
      otherRaw.destroy();
    });
  });
}

it("is told from other layers", async () => {
  const [stream, raw] = await accepted();
  assert.equal(isSocketStream(stream), true);
  assert.equal(isSocketStream(pair()[0]), false);
  stream.close();
  raw.destroy();
});
