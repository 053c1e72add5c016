import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startPrompt } from "../../../src/cli/connect/prompt.ts";
import { RoundTrips } from "../../../src/cli/shared/round-trips.ts";
import { Screen } from "../../../src/cli/shared/screen.ts";
import { invalidArgument } from "../../../src/core/errors.ts";
import type { CloseOptions, Stream } from "../../../src/websocket/index.ts";
import { until } from "../../core/support/stream-operations.ts";
import { terminal } from "../support/test-stdio.ts";

/** A prompt whose stream keeps what it is to send. */
function start({ binary = false } = {}) {
  const stdio = terminal();
  const screen = new Screen(stdio);
  const trips = new RoundTrips();
  const sent: unknown[] = [];
  const closed: (CloseOptions | undefined)[] = [];
  const ws = {
    isOpen: true,
    write: async (data: unknown) => void sent.push(data),
    ping: async (payload: string) => trips.control(undefined, "pong", Buffer.from(payload)),
  } as unknown as Stream;
  const close = async (options?: CloseOptions): Promise<void> => {
    if (options?.code === 77) throw invalidArgument("77 can't be sent");
    closed.push(options);
  };
  startPrompt(stdio, { ws, outgoing: ws, screen, trips, binary, close });
  return { stdio, sent, closed, type: (keys: string) => void stdio.stdin.write(keys) };
}

describe("startPrompt", () => {
  it("sends lines, and //TEXT as /TEXT", async () => {
    const { sent, type } = start();
    type("hello\r\r//close\r");
    await until(() => sent.length === 3);
    assert.deepEqual(sent, ["hello", "", "/close"]);
  });

  it("sends lines as binary messages with --binary", async () => {
    const { sent, type } = start({ binary: true });
    type("é\r");
    await until(() => sent.length === 1);
    assert.deepEqual(sent, [Buffer.from("é")]);
  });

  it("brings back earlier lines for editing", async () => {
    const { sent, type } = start();
    // Key by key, as a terminal sends them.
    for (const key of ["o", "n", "e", "\r", "\u001b[A", "\u001b[D", "!", "\r"]) type(key);
    await until(() => sent.length === 2);
    assert.deepEqual(sent, ["one", "on!e"]);
  });

  it("shows the round trip of a ping", async () => {
    const { stdio, type } = start();
    type("/ping\r");
    await stdio.shows(" ms\n", "err");
    assert.match(stdio.err, /^pong after \d+\.\d ms\n$/);
  });

  it("closes with the code and reason given", async () => {
    const { stdio, closed, type } = start();
    type("/close\r/close 4000\r/close 4001 good  bye\r/close 77\r");
    await stdio.shows("77", "err");
    assert.deepEqual(closed, [{}, { code: 4000, reason: "" }, { code: 4001, reason: "good  bye" }]);
    assert.equal(stdio.err, "serval: 77 can't be sent\n");
  });

  for (const [name, key] of [
    ["Ctrl-C", "\u0003"],
    ["Ctrl-D", "\u0004"],
  ] as const) {
    it(`closes at ${name}, and removes the prompt`, async () => {
      const { stdio, closed, type } = start();
      type(key);
      await until(() => closed.length > 0);
      assert.equal(closed[0], undefined);
      assert.ok(stdio.out.endsWith("\u001b[1G\u001b[0J"), JSON.stringify(stdio.out));
    });
  }

  it("helps, and for an unknown command says how to send it", async () => {
    const { stdio, sent, type } = start();
    type("/help\r/nope\r");
    await stdio.shows("nope", "err");
    for (const word of ["/ping", "/close", "/help", "//TEXT"]) assert.ok(stdio.err.includes(word));
    assert.match(
      stdio.err,
      /\nserval: there is no command \/nope; \/help lists the commands, and \/\/nope sends \/nope\n$/,
    );
    assert.deepEqual(sent, []);
  });
});
