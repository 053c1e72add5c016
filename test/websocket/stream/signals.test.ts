// Operations that wait, and a signal that ends the wait.
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import type { Stream } from "../../../src/websocket/index.ts";
import { open, roles } from "../support/client-kit.ts";
import { quiet } from "../../support/quiet.ts";
import { codeOf } from "../support/kit.ts";
import { behind, stuck } from "../support/slow-peer.ts";

const waits: readonly [
  name: string,
  start: (ws: Stream, signal: AbortSignal) => Promise<void>,
  frames: readonly string[],
][] = [
  ["a ping", (ws, signal) => ws.ping("a", { signal }), ["ping 61"]],
  ["a pong", (ws, signal) => ws.pong("a", { signal }), ["pong 61"]],
  ["a part", (ws, signal) => ws.writeSome("a", true, { signal }), ["text a"]],
];

const listeners = (signal: AbortSignal): number => getEventListeners(signal, "abort").length;

for (const role of roles) {
  describe(`as a ${role}`, () => {
    for (const [name, start, frames] of waits) {
      it(`the wait of ${name} is aborted, and it is still sent`, async () => {
        const connection = await stuck(role, { highWaterMark: 1 });
        const controller = new AbortController();
        const waiting = start(connection.ws, controller.signal);
        assert.equal(await codeOf(waiting), "pending");
        controller.abort("enough");
        assert.equal(await codeOf(waiting), "core.aborted");
        assert.equal(listeners(controller.signal), 0);
        await connection.takeAll();
        assert.deepEqual(behind(connection), frames);
      });

      it(`${name} whose signal has aborted is not sent`, async () => {
        const connection = await open(role);
        const { ws } = connection;
        assert.equal(await codeOf(start(ws, AbortSignal.abort())), "core.aborted");
        await quiet();
        assert.deepEqual(connection.frames, []);
        assert.equal(await codeOf(start(ws, 5 as unknown as AbortSignal)), "core.invalid_argument");
      });
    }

    for (const when of ["while it waits", "before"] as const) {
      it(`a close whose signal aborts ${when} terminates the connection, and completes`, async () => {
        const connection = await open(role);
        const controller = new AbortController();
        if (when === "before") controller.abort();
        const closing = connection.ws.close({ code: 4000, signal: controller.signal });
        if (when === "while it waits") {
          assert.equal(await codeOf(closing), "pending");
          assert.deepEqual(connection.frames, ["close 4000"]);
          controller.abort();
        }
        assert.equal(await codeOf(closing), undefined);
        const { code, clean } = await connection.ws.closed;
        assert.deepEqual([code, clean, connection.next.closed], [1006, false, true]);
        assert.equal(listeners(controller.signal), 0);
      });
    }

    it("a completed close leaves no listener on its signal", async () => {
      const connection = await open(role);
      const { signal } = new AbortController();
      const closing = connection.ws.close({ signal });
      await connection.say(connection.close(1000));
      await connection.end();
      assert.equal(await codeOf(closing), undefined);
      assert.equal(listeners(signal), 0);
      assert.equal(await codeOf(connection.ws.close({ signal: {} as AbortSignal })), "core.invalid_argument");
    });

    for (const how of ["bytes", "text"] as const) {
      it(`of a message, ${how} is aborted, and the rest of it is dropped`, async () => {
        const connection = await open(role);
        const { ws } = connection;
        await connection.say(connection.text("first", { fin: false }));
        const message = await ws.nextMessage();
        const controller = new AbortController();
        const waiting: Promise<unknown> = message[how]({ signal: controller.signal });
        assert.equal(await codeOf(waiting), "pending");
        controller.abort();
        assert.equal(await codeOf(waiting), "core.aborted");
        assert.equal(listeners(controller.signal), 0);
        const next = ws.read();
        await connection.say(connection.more("second"));
        await connection.say(connection.text("another"));
        assert.equal(await next, "another");
        assert.equal(await codeOf(message[how]()), "websocket.message_in_progress");
      });

      it(`of a message, ${how} completes once, with what has come before its signal aborts`, async () => {
        const connection = await open(role);
        await connection.say(connection.text("all"));
        const message = await connection.ws.nextMessage();
        const controller = new AbortController();
        const outcomes: unknown[] = [];
        const told = (error: unknown, result: unknown): void => {
          outcomes.push(error ?? Buffer.from(result as string).toString());
        };
        message[how]({ signal: controller.signal }, told);
        await quiet();
        controller.abort();
        await quiet();
        assert.deepEqual([outcomes, listeners(controller.signal)], [["all"], 0]);
        const aborted = await connection.say(connection.text("b")).then(() => connection.ws.nextMessage());
        assert.equal(await codeOf(aborted[how]({ signal: controller.signal })), "core.aborted");
      });
    }
  });
}
