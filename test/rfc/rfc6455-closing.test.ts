// RFC 6455 sections 5.5.1 and 7: how a connection ends, in both roles.
//
// What no test of an endpoint can show, or binds someone else:
// - 7.1.1, "discarding any trailing bytes": shown; "as well as the TLS session": by the suite that all streams pass.
// - 7.1.7, "SHOULD log the problem": the handler `error` and a pulled reader are told, which is shown; logs are the application's.
// - 7.2.3, back-off when reconnecting: reconnecting is the application's.
// - 7.3, 7.4: rules for those who choose codes; what can't be chosen is shown.
// - 5.5.2, "MUST send a Pong …, unless it already received a Close": behind our own close frame we send nothing any more.
//   Section 1.4 has it that no further data is sent then, and Beast and ws do the same.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { quiet } from "../support/quiet.ts";
import { codeOf } from "../websocket/support/kit.ts";
import { open, roles } from "./support/endpoint.ts";
import { wire } from "./support/wire.ts";

/** Codes that a close frame may have, by section 7.4 and IANA's registry; and codes that it may not. */
const valid = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
const invalid = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 65_535];

describe("RFC 6455 section 5.5.1: the peer's close frame", () => {
  wire("5.5.1: a close frame without a body is answered by one", {
    bytes: (say) => say.close(),
    closes: { code: 1005, reason: "", clean: true },
  });
  wire("5.5.1: the reason may be empty, and may be up to 123 bytes of UTF-8", {
    bytes: (say) => say.close(1000, "é".repeat(61)),
    closes: { code: 1000, reason: "é".repeat(61), clean: true },
  });
  wire("5.5.1: a body of one byte, which is no code, fails the connection with 1002", {
    bytes: (say) => say.frame(8, Uint8Array.of(3)),
    fails: ["websocket.bad_close_size", 1002],
  });
  for (const code of valid) {
    wire(`7.4: the code ${code} is taken, and echoed`, {
      bytes: (say) => say.close(code, "because"),
      closes: { code, reason: "because", clean: true },
    });
  }
  for (const code of invalid) {
    wire(`7.4: the code ${code}, which must not be in a close frame, fails the connection with 1002`, {
      bytes: (say) => say.close(code, "because"),
      fails: ["websocket.bad_close_code", 1002],
    });
  }
  wire("5.5.1: a message before the close frame arrives, a message after it does not", {
    bytes: (say) => [say.text("before"), say.close(1000), say.text("behind")],
    messages: ["before"],
    closes: { code: 1000, reason: "", clean: true },
  });
});

for (const role of roles) {
  describe(`RFC 6455 section 7: closing as a ${role}`, () => {
    it("5.5.1: one close frame is answered once, a second one not at all", async () => {
      const endpoint = await open(role);
      await endpoint.hear(endpoint.say.close(1000), endpoint.say.close(1001), endpoint.say.close());
      assert.deepEqual(endpoint.frames, ["close 1000"]);
      assert.equal((await endpoint.end()).code, 1000);
    });

    it("7.1.2: close sends the code and the reason, then awaits the peer's close frame", async () => {
      const endpoint = await open(role);
      let completed = false;
      endpoint.ws.close({ code: 4001, reason: "bÿe" }, () => (completed = true));
      await quiet();
      const [frame] = endpoint.sent;
      assert.deepEqual(Buffer.from(frame!.payload), Buffer.concat([Buffer.from([0x0f, 0xa1]), Buffer.from("bÿe")]));
      assert.deepEqual([endpoint.peer.ended, completed, endpoint.ws.isOpen], [false, false, false]);
      await endpoint.hear(endpoint.say.close(4001));
      assert.deepEqual(await endpoint.end(), { code: 4001, reason: "", clean: true });
      assert.equal(completed, true);
      assert.equal(endpoint.sent.length, 1);
    });

    it("7.1.2: close without a code sends 1000, and 1005 stands for a close frame without one", async () => {
      for (const [options, frame] of [
        [{}, "close 1000"],
        [{ code: 1005 }, "close"],
      ] as const) {
        const endpoint = await open(role);
        void endpoint.ws.close(options);
        await endpoint.hear(endpoint.say.close());
        assert.deepEqual(endpoint.frames, [frame]);
        assert.deepEqual(await endpoint.end(), { code: 1005, reason: "", clean: true });
      }
    });

    it("7.1.1: after both close frames the server ends the transport first, the client waits for that", async () => {
      for (const first of ["ours", "the peer's"]) {
        const endpoint = await open(role);
        if (first === "ours") void endpoint.ws.close();
        await quiet();
        await endpoint.hear(endpoint.say.close(1000));
        assert.deepEqual(endpoint.frames, ["close 1000"]);
        assert.equal(endpoint.peer.ended, role === "server", first);
        await endpoint.end();
      }
    });

    it("7.1.1: bytes after the close frame are dropped, and the transport is read to its end", async () => {
      const endpoint = await open(role);
      await endpoint.hear(endpoint.say.close(1000), new Uint8Array(100_000));
      assert.equal(endpoint.peer.error, undefined);
      assert.deepEqual(await endpoint.end(), { code: 1000, reason: "", clean: true });
      assert.deepEqual(endpoint.messages, []);
    });

    it("7.1.1: a peer that never ends the transport is abandoned after timeouts.handshake", async () => {
      const endpoint = await open(role, { options: { timeouts: { handshake: 5000 } } });
      await endpoint.hear(endpoint.say.close(1000));
      await endpoint.clock.advance(4999);
      await quiet();
      assert.equal(endpoint.closed, undefined);
      await endpoint.clock.advance(1);
      await quiet();
      assert.deepEqual(endpoint.closed, { code: 1000, reason: "", clean: true });
      assert.equal(endpoint.next.closed, true);
    });

    it("7.1.1: a peer that never answers our close frame is abandoned after timeouts.handshake, with 1006", async () => {
      const endpoint = await open(role, { options: { timeouts: { handshake: 5000 } } });
      void endpoint.ws.close();
      await quiet();
      await endpoint.clock.advance(5000);
      await quiet();
      assert.deepEqual(endpoint.closed, { code: 1006, reason: "", clean: false });
    });

    it("7.1.3: in the state CLOSING no message can be sent, also if the peer began", async () => {
      for (const first of ["ours", "the peer's"]) {
        const endpoint = await open(role);
        if (first === "ours") void endpoint.ws.close();
        else await endpoint.hear(endpoint.say.close(1000));
        assert.equal(endpoint.ws.isOpen, false);
        assert.equal(endpoint.ws.send("x"), false);
        assert.equal(await codeOf(endpoint.ws.write("x")), "websocket.closed");
        assert.deepEqual(endpoint.frames, ["close 1000"]);
      }
    });

    it("7.1.4: a close before the handshake is not clean", async () => {
      const endpoint = await open(role);
      void endpoint.ws.close();
      await quiet();
      assert.deepEqual(await endpoint.end(), { code: 1006, reason: "", clean: false });
    });

    it("7.1.5: the code is the peer's, also if both sides began at once", async () => {
      const endpoint = await open(role);
      void endpoint.ws.close({ code: 4001, reason: "ours" });
      // Before ours has reached it.
      await endpoint.hear(endpoint.say.close(4002, "the peer's"));
      assert.deepEqual(endpoint.frames, ["close 4001ours"]);
      assert.deepEqual(await endpoint.end(), { code: 4002, reason: "the peer's", clean: true });
    });

    it("7.1.5: the code is that of the first close frame", async () => {
      const endpoint = await open(role);
      await endpoint.hear(endpoint.say.close(4001, "first"), endpoint.say.close(4002, "second"));
      assert.deepEqual(await endpoint.end(), { code: 4001, reason: "first", clean: true });
    });

    it("7.1.5: without any close frame the code is 1006", async () => {
      const endpoint = await open(role);
      await endpoint.hear(endpoint.say.text("last words"));
      assert.deepEqual(await endpoint.end(), { code: 1006, reason: "", clean: false });
      assert.deepEqual(endpoint.messages, ["last words"]);
    });

    it("7.1.5: half a close frame does not count", async () => {
      const endpoint = await open(role);
      await endpoint.hear(endpoint.say.close(1000, "reason").subarray(0, -1));
      assert.deepEqual(await endpoint.end(), { code: 1006, reason: "", clean: false });
    });

    it("7.1.7: failing the connection reports why, to the peer and to the application, and closes", async () => {
      const endpoint = await open(role);
      await endpoint.hear(endpoint.say.frame(3, ""));
      const message = "The WebSocket frame has a reserved opcode";
      assert.deepEqual(endpoint.frames, [`close 1002${message}`]);
      assert.deepEqual(endpoint.errors, ["websocket.bad_opcode"]);
      assert.equal(endpoint.peer.ended, role === "server");
      assert.deepEqual(await endpoint.end(), { code: 1002, reason: message, clean: false });
    });

    it("7.1.7: a connection that failed processes nothing any more, not even the answer to its close frame", async () => {
      const endpoint = await open(role);
      await endpoint.hear(endpoint.say.frame(3, ""));
      await endpoint.hear(endpoint.say.text("data"), endpoint.say.ping("ping"), endpoint.say.close(1000, "answer"));
      assert.deepEqual(endpoint.messages, []);
      assert.equal(endpoint.frames.length, 1);
      const { code, clean } = await endpoint.end();
      assert.deepEqual({ code, clean }, { code: 1002, clean: false });
    });

    it("7.1.7: a violation after our own close frame is not reported to the peer", async () => {
      const endpoint = await open(role);
      void endpoint.ws.close();
      await endpoint.hear(endpoint.say.frame(3, ""));
      assert.deepEqual(endpoint.frames, ["close 1000"]);
      assert.equal((await endpoint.end()).clean, false);
    });

    it("7.2.1: a transport that is lost fails the connection with 1006", async () => {
      const endpoint = await open(role);
      endpoint.peer.stream.reset();
      await quiet();
      assert.deepEqual(endpoint.closed, { code: 1006, reason: "", clean: false });
      assert.deepEqual(endpoint.errors, ["core.connection_reset"]);
      assert.equal(endpoint.ws.send("x"), false);
    });

    it("7.2.1: a waiting read fails if the transport is lost", async () => {
      const endpoint = await open(role, { pulled: true });
      const reading = endpoint.ws.read();
      endpoint.peer.stream.reset();
      assert.equal(await codeOf(reading), "core.connection_reset");
    });

    it("7.4: codes that must not be in a close frame can't be sent", async () => {
      const endpoint = await open(role);
      for (const code of [...invalid.filter((code) => code !== 1005), -1, 1000.5, NaN, 65_536 + 1000]) {
        assert.equal(await codeOf(endpoint.ws.close({ code })), "core.invalid_argument", `code ${code}`);
      }
      // 1005 stands for no code, which has no place for a reason.
      assert.equal(await codeOf(endpoint.ws.close({ code: 1005, reason: "x" })), "core.invalid_argument");
      assert.deepEqual(endpoint.frames, []);
      assert.equal(endpoint.ws.isOpen, true);
    });

    for (const code of valid) {
      it(`7.4: the code ${code} can be sent`, async () => {
        const endpoint = await open(role);
        void endpoint.ws.close({ code });
        await quiet();
        assert.deepEqual(endpoint.frames, [`close ${code}`]);
      });
    }

    it("5.5: no reason of more than 123 bytes can be sent", async () => {
      const endpoint = await open(role);
      for (const reason of ["x".repeat(124), "é".repeat(62)]) {
        assert.equal(await codeOf(endpoint.ws.close({ reason })), "core.invalid_argument");
      }
      void endpoint.ws.close({ reason: "é".repeat(61) });
      await quiet();
      assert.deepEqual(endpoint.frames, [`close 1000${"é".repeat(61)}`]);
    });

    it("5.5.1: a reason that is sent is UTF-8, also of half a surrogate pair", async () => {
      const endpoint = await open(role);
      void endpoint.ws.close({ reason: "half \ud83e" });
      await quiet();
      assert.deepEqual(endpoint.frames, ["close 1000half \ufffd"]);
    });
  });
}
