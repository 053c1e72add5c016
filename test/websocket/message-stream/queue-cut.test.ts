// Messages from a source that are given up when part of them has left.
import assert from "node:assert/strict";
import { createReadStream, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, it } from "node:test";
import type { ServalError } from "../../../src/core/index.ts";
import type { Sendable } from "../../../src/websocket/index.ts";
import { extensions, open, roles, type Connection } from "../support/client-kit.ts";
import { codeOf, outcomeOf } from "../support/kit.ts";
import { behind, never, slow, Source, stuck } from "../support/slow-peer.ts";
import { quiet } from "../../support/quiet.ts";
import { until } from "../../support/until.ts";

/** A Blob of two pieces, of which the second never comes. */
class StalledBlob extends Blob {
  override readonly size: number = 2 * 65_536;
  asked = 0;

  constructor() {
    super([]);
  }

  override slice(): Blob {
    return { arrayBuffer: () => (this.asked++ === 0 ? Promise.resolve(new ArrayBuffer(1)) : never) } as Blob;
  }
}

async function closeHandshake(connection: Connection, code: number): Promise<void> {
  await connection.say(connection.close(code));
  assert.deepEqual(await connection.end(), { code, reason: "", clean: true });
}

for (const role of roles) {
  describe(`as a ${role}: a message from a source, aborted when part of it has left`, () => {
    const sources: [name: string, make: () => Sendable, frame: string][] = [
      ["an async iterable", () => new Source((count) => (count === 0 ? "a" : never)), "text (not final) a"],
      ["a Blob", () => new StalledBlob(), "binary (not final) 00"],
      [
        "a Web stream",
        () => new ReadableStream({ start: (controller) => controller.enqueue("a") }),
        "text (not final) a",
      ],
      [
        "a Node stream",
        () => {
          const readable = new Readable({ read() {}, objectMode: true });
          readable.push("a");
          return readable;
        },
        "text (not final) a",
      ],
    ];
    for (const [name, make, frame] of sources) {
      it(`${name}: the write rejects, and the connection closes with 1011, without its error handler`, async () => {
        const connection = await open(role);
        const controller = new AbortController();
        const written = connection.ws.write(make(), { signal: controller.signal });
        await quiet();
        assert.deepEqual(connection.frames, [frame]);
        controller.abort("enough");
        const { error } = (await outcomeOf(written)) as { error: ServalError };
        assert.deepEqual([error.code, error.name, error.cause], ["core.aborted", "AbortError", "enough"]);
        await quiet();
        assert.deepEqual([connection.frames, connection.ws.isOpen], [[frame, "close 1011"], false]);
        await closeHandshake(connection, 1011);
        assert.deepEqual(connection.errors, []);
      });
    }

    it("the source is not asked again, and is told to end, once", async () => {
      const connection = await slow(role, { highWaterMark: 100 });
      const controller = new AbortController();
      const source = new Source(() => "x".repeat(100));
      const written = connection.ws.write(source, { signal: controller.signal });
      await until(
        () => connection.frames.length > 2,
        () => connection.takeSome(),
      );
      const { asked } = source;
      controller.abort();
      assert.equal(await codeOf(written), "core.aborted");
      await connection.takeAll();
      assert.deepEqual([source.asked, source.ended, connection.frames.at(-1)], [asked, 1, "close 1011"]);
      assert.ok(connection.frames.length <= asked + 1);
      await closeHandshake(connection, 1011);
    });

    it("a generator's finally runs, and a source whose next never settles does not delay the close", async () => {
      const connection = await open(role);
      const controller = new AbortController();
      let isOver = false;
      function* parts(): Generator<string> {
        try {
          for (;;) yield "x".repeat(40_000);
        } finally {
          isOver = true;
        }
      }
      const sync = (await slow(role)).ws.write(parts(), { signal: controller.signal });
      const stalled = connection.ws.write(new Source((count) => (count === 0 ? "a" : never)), {
        signal: controller.signal,
      });
      await quiet();
      controller.abort();
      assert.deepEqual([await codeOf(sync), await codeOf(stalled), isOver], ["core.aborted", "core.aborted", true]);
      await quiet();
      assert.deepEqual(connection.frames, ["text (not final) a", "close 1011"]);
      await closeHandshake(connection, 1011);
    });

    it("abortCode is the close code, and must be one that can be sent", async () => {
      const connection = await open(role);
      const { ws } = connection;
      const controller = new AbortController();
      for (const abortCode of [999, 1004, 1005, 1006, 1015, 5000, 4000.5, Number.NaN, "4000", null]) {
        const written = ws.write("a", { signal: controller.signal, abortCode: abortCode as number });
        assert.equal(await codeOf(written), "core.invalid_argument", String(abortCode));
      }
      const { signal } = controller;
      const written = ws.write(new Source((count) => (count === 0 ? "a" : never)), { signal, abortCode: 4001 });
      await quiet();
      controller.abort();
      assert.equal(await codeOf(written), "core.aborted");
      await quiet();
      assert.deepEqual(connection.frames, ["text (not final) a", "close 4001"]);
      await closeHandshake(connection, 4001);
    });

    it("what waits after it is not sent: its writes fail, unless there was room for it at once", async () => {
      const connection = await open(role, { highWaterMark: 1000 });
      const { ws } = connection;
      const controller = new AbortController();
      const { signal } = controller;
      const later = new Source(() => "never");
      const cut = ws.write(new Source((count) => (count === 0 ? "a" : never)), { signal });
      const writes = [ws.write("b"), ws.write(new Uint8Array(20_000)), ws.write(later), ws.write("c", { signal })];
      const parts = ws.writeSome("d", false);
      await quiet();
      controller.abort();
      assert.equal(await codeOf(cut), "core.aborted");
      const codes = await Promise.all([...writes, parts].map((write) => codeOf(write)));
      assert.deepEqual(codes, [undefined, "websocket.closed", "websocket.closed", "core.aborted", "websocket.closed"]);
      assert.deepEqual([later.asked, later.ended], [0, 1]);
      await quiet();
      assert.deepEqual(connection.frames, ["text (not final) a", "close 1011"]);
      assert.equal(ws.bufferedAmount, 0);
      await closeHandshake(connection, 1011);
    });

    it("deflated, too, with the context of earlier messages", async () => {
      for (const agreed of [extensions, "permessage-deflate"]) {
        const takesOver = agreed !== extensions;
        const deflate = takesOver ? { serverNoContextTakeover: false, clientNoContextTakeover: false } : true;
        const connection = await open(role, { deflate }, { extensions: agreed });
        const controller = new AbortController();
        const source = new Source((count) => (count === 0 ? "x".repeat(1000) : never));
        const written = connection.ws.write(source, { signal: controller.signal });
        await quiet();
        controller.abort();
        assert.equal(await codeOf(written), "core.aborted");
        await quiet();
        const { sent } = connection;
        assert.deepEqual(
          sent.map(({ code, fin, rsv }) => [code, fin, rsv]),
          [
            [1, false, 4],
            [8, true, 0],
          ],
        );
        await closeHandshake(connection, 1011);
      }
    });

    it("read to its end, it is sent whole, and the connection stays open", async () => {
      const connection = await slow(role, { highWaterMark: 100 });
      const controller = new AbortController();
      const source = new Source((count) => (count < 2 ? "x".repeat(400) : undefined));
      const written = connection.ws.write(source, { signal: controller.signal });
      await until(
        () => source.asked === 3,
        () => connection.takeSome(),
      );
      await quiet();
      controller.abort();
      const code = await codeOf(written);
      assert.ok(code === "core.aborted" || code === undefined, String(code));
      await connection.takeAll();
      assert.deepEqual(
        [connection.frames.map((one) => one.split(" ")[0]), connection.ws.isOpen, source.ended],
        [["text", "continuation", "continuation"], true, 0],
      );
    });

    for (const [why, cause, end] of [
      ["aborted", "core.aborted", (controller: AbortController) => controller.abort()],
      ["failing", "websocket.source_failed", undefined],
    ] as const) {
      it(`one that a close waits for, ${why}: the close frame leaves, and nothing that waits between`, async () => {
        const connection = await open(role);
        const { ws } = connection;
        const controller = new AbortController();
        let fail: ((error: Error) => void) | undefined;
        const blob = new Blob([new Uint8Array(2 * 65_536)]);
        let asked = 0;
        blob.slice = () => {
          const piece = asked++ === 0 ? Promise.resolve(new ArrayBuffer(1)) : new Promise((_, no) => (fail = no));
          return { arrayBuffer: () => piece } as Blob;
        };
        const written = ws.write(blob, { signal: controller.signal });
        const next = ws.write(new Uint8Array(20_000));
        await quiet();
        const closed = ws.close({ code: 4000 });
        if (end === undefined) fail!(new Error("mine"));
        else end(controller);
        assert.deepEqual([await codeOf(written), await codeOf(next)], [cause, "websocket.closed"]);
        await quiet();
        assert.deepEqual(connection.frames, ["binary (not final) 00", "close 4000"]);
        await connection.say(connection.close(4000));
        await connection.end();
        await closed;
      });
    }
  });

  describe(`as a ${role}: a source that is not read, since its message does not leave`, () => {
    it("a Node stream that fails while it waits does not end the process: its write fails when its turn comes", async () => {
      const connection = await stuck(role);
      const readable = createReadStream(join(tmpdir(), "there", "is", "no", "such", "file"));
      const written = connection.ws.write(readable);
      await until(() => readable.errored !== null);
      await connection.takeAll();
      assert.equal(await codeOf(written), "websocket.source_failed");
      connection.ws.send("on");
      await quiet();
      assert.deepEqual(behind(connection), ["text on"]);
    });

    /** What keeps the message from leaving, from a connection. */
    const reasons: [
      name: string,
      refuse: (connection: Connection, data: Readable | ReadableStream) => Promise<unknown>,
    ][] = [
      ["aborted before the call", ({ ws }, data) => ws.write(data, { signal: AbortSignal.abort() })],
      [
        "withdrawn before its turn",
        ({ ws }, data) => {
          const controller = new AbortController();
          const written = ws.write(data, { signal: controller.signal });
          controller.abort();
          return written;
        },
      ],
      [
        "queued on a connection that is lost",
        async ({ ws, peer }, data) => {
          const written = ws.write(data);
          await quiet();
          peer.stream.reset();
          return written;
        },
      ],
      [
        "written after the end",
        ({ ws }, data) => {
          ws.terminate();
          return ws.write(data);
        },
      ],
      [
        "sent after the end",
        ({ ws }, data) => {
          ws.terminate();
          assert.equal(ws.send(data), false);
          return Promise.resolve();
        },
      ],
    ];
    for (const [name, refuse] of reasons) {
      it(`${name}: a file is closed, and a Web stream cancelled`, async () => {
        const path = join(tmpdir(), `serval-cut-${process.pid}-${role}`);
        writeFileSync(path, "x");
        try {
          const file = createReadStream(path);
          await refuse(await stuck(role), file).catch(() => {});
          await until(() => file.closed);
          let cancelled = 0;
          await refuse(await stuck(role), new ReadableStream({ cancel: () => void cancelled++ })).catch(() => {});
          await quiet();
          assert.equal(cancelled, 1);
        } finally {
          rmSync(path);
        }
      });
    }

    it("one that is refused for the queue's size is let go of as well", async () => {
      const connection = await stuck(role, { maxBufferedAmount: 100, overflow: "drop" });
      let cancelled = 0;
      const stream = (): ReadableStream => new ReadableStream({ cancel: () => void cancelled++ });
      assert.equal(await codeOf(connection.ws.write(stream())), "websocket.queue_overflow");
      assert.equal(connection.ws.send(stream()), false);
      await quiet();
      assert.equal(cancelled, 2);
      connection.ws.terminate();
    });
  });
}
