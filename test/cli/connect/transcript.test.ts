import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ChatSettings } from "../../../src/cli/connect/chat-options.ts";
import { Screen } from "../../../src/cli/shared/screen.ts";
import { jsonTranscript, textTranscript, withoutPassword } from "../../../src/cli/connect/transcript.ts";
import { ServalError } from "../../../src/core/index.ts";
import { Response } from "../../../src/http/index.ts";
import type { Stream } from "../../../src/websocket/index.ts";
import { terminal, TestStdio } from "../support/test-stdio.ts";

const plain: ChatSettings = { binary: false, hex: false, json: false, wait: 0 };
const bytes = Uint8Array.of(0, 0x1b, 255);

/** An open stream, as far as it is looked at. */
const ws = {
  protocol: "chat",
  response: new Response({ status: 101, headers: { "Sec-WebSocket-Extensions": "permessage-deflate" } }),
} as unknown as Stream;

async function written(stdio: TestStdio, chat: Partial<ChatSettings> = {}): Promise<TestStdio> {
  const transcript = textTranscript(new Screen(stdio), stdio, { ...plain, ...chat });
  await transcript.opened("ws://a", ws);
  await transcript.message("a\u001b[31m\nb");
  await transcript.message(bytes);
  await transcript.closed({ code: 1000, reason: "", clean: true }, true);
  return stdio;
}

describe("textTranscript", () => {
  it("is only messages on a pipe, binary in hex", async () => {
    const { out, err } = await written(new TestStdio());
    assert.deepEqual([out, err], ["a\u001b[31m\nb\n00 1b ff\n", ""]);
  });

  it("is only bytes on a pipe with --binary, unless --hex is given too", async () => {
    assert.equal(
      (await written(new TestStdio(), { binary: true })).bytes.toString("latin1"),
      "a\u001b[31m\nb\0\u001b\u00ff",
    );
    assert.equal((await written(new TestStdio(), { binary: true, hex: true })).out, "a\u001b[31m\nb00 1b ff\n");
  });

  it("escapes what would act on a terminal", async () => {
    const { out, err } = await written(new TestStdio({ stdout: true }), { binary: true });
    assert.deepEqual([out, err], ["a\\u001b[31m\nb\n00 1b ff\n", ""]);
  });

  it("marks messages between typed lines, and reports events", async () => {
    const { out, err } = await written(terminal());
    assert.equal(out, "< a\\u001b[31m\n  b\n< 00 1b ff\n");
    const open = "connected to ws://a/ (subprotocol chat; permessage-deflate); /help for help, Ctrl-C to close\n";
    assert.equal(err, `${open}closed with 1000\n`);
  });

  for (const [info, words] of [
    [{ code: 1008, reason: "no\u001b\n", clean: true }, "serval: closed with 1008: no\\u001b\\n\n"],
    [{ code: 1005, reason: "", clean: true }, "serval: closed with no code\n"],
    [{ code: 1006, reason: "", clean: false }, "serval: the connection was lost without a closing handshake\n"],
  ] as const) {
    it(`reports an unexpected ${info.code}`, async () => {
      const stdio = new TestStdio();
      await textTranscript(new Screen(stdio), stdio, plain).closed(info, false);
      assert.deepEqual([stdio.out, stdio.err], ["", words]);
    });
  }

  it("reports a failure", async () => {
    const stdio = new TestStdio();
    const response = new Response({ status: 404, body: "not here\n" });
    const error = new ServalError("websocket.upgrade_declined", "handshake_failed", "declined: 404", { response });
    await textTranscript(new Screen(stdio), stdio, plain).failed(error);
    assert.deepEqual([stdio.out, stdio.err], ["", "serval: declined: 404\n  not here\n"]);
  });
});

describe("jsonTranscript", () => {
  it("is a line for each event, with nothing that acts on a terminal", async () => {
    const stdio = new TestStdio();
    const transcript = jsonTranscript(new Screen(stdio), plain);
    await transcript.opened("ws://a", ws);
    await transcript.message("a\u009b\n");
    await transcript.message(bytes);
    const response = new Response({ status: 403, reason: "No", body: "go away" });
    await transcript.failed(new ServalError("a.code", "handshake_failed", "why", { response }));
    await transcript.failed(new Error("other"));
    await transcript.closed({ code: 1000, reason: "bye", clean: true }, true);
    assert.doesNotMatch(stdio.out, /\u009b/);
    assert.deepEqual(
      stdio.out
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as unknown),
      [
        { type: "open", protocol: "chat", extensions: "permessage-deflate" },
        { type: "message", kind: "text", data: "a\u009b\n" },
        { type: "message", kind: "binary", base64: "ABv/" },
        { type: "error", code: "a.code", message: "why", status: 403, reason: "No", body: "go away" },
        { type: "error", message: "other" },
        { type: "close", code: 1000, reason: "bye", clean: true },
      ],
    );
    assert.equal(stdio.err, "");
  });
});

describe("withoutPassword", () => {
  it("hides only the password", () => {
    assert.equal(withoutPassword("ws://me:secret@a/b?c"), "ws://me:***@a/b?c");
    assert.equal(withoutPassword("no URL"), "no URL");
  });
});
