// permessage-deflate between us and others, in each role, with every combination of the parameters: either both sides agree and
// messages arrive, or the options of the two exclude each other and nothing is opened.
import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { WebSocket as UndiciWebSocket } from "undici";
import { WebSocket as WsWebSocket, type PerMessageDeflateOptions } from "ws";
import type { ServalError } from "../../src/core/index.ts";
import { connect } from "../../src/net/index.ts";
import { scrubReads } from "../../src/net/sockets/read-block.ts";
import { serve, type ServeOptions } from "../../src/server/index.ts";
import { Stream, type DeflateOptions } from "../../src/websocket/index.ts";
import { converse, echo, WsEcho, type Client } from "./support/conversation.ts";

scrubReads(true);

/** Every combination of one value for each name. */
function combinations<Options extends object>(values: {
  [Name in keyof Options]: readonly Options[Name][];
}): Options[] {
  let all: Options[] = [{} as Options];
  for (const name of Object.keys(values) as (keyof Options)[]) {
    all = all.flatMap((one) => values[name].map((value) => ({ ...one, [name]: value })));
  }
  return all;
}

/** What both sides have a say in; undefined where one has none. */
interface Parameters<Bits, Flag> {
  serverNoContextTakeover: Flag;
  clientNoContextTakeover: Flag;
  serverMaxWindowBits: Bits;
  clientMaxWindowBits: Bits;
}

const ours = combinations<Parameters<number, boolean>>({
  serverNoContextTakeover: [true, false],
  clientNoContextTakeover: [true, false],
  serverMaxWindowBits: [15, 9],
  clientMaxWindowBits: [15, 11],
}).map((options) => ({ ...options, threshold: 0 }));

type WsOptions = Parameters<number | undefined, boolean | undefined>;

const others = combinations<WsOptions>({
  serverNoContextTakeover: [undefined, true, false],
  clientNoContextTakeover: [undefined, true, false],
  serverMaxWindowBits: [undefined, 10],
  clientMaxWindowBits: [undefined, 10, 15],
});

/** The options as ws takes them, which an undefined one is a value for. */
function forWs(options: WsOptions): PerMessageDeflateOptions {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), threshold: 0 };
}

/** What shows whether windows are kept, and how far they reach. */
const noise = Uint8Array.from({ length: 2000 }, (_, i) => Math.imul(i, 2_654_435_761) >>> 11);
const said = ["Hello", "Hello", "", noise, noise, "ünï©ødé 🦊".repeat(500)];

/** Runs this many conversations at once. */
async function all<Item>(items: readonly Item[], use: (item: Item) => Promise<void>): Promise<void> {
  const iterator = items.values();
  const run = async (): Promise<void> => {
    for (const item of iterator) {
      await use(item).catch((error: unknown) => {
        throw new Error(`${JSON.stringify(item)}: ${String(error)}`, { cause: error });
      });
    }
  };
  await Promise.all(Array.from({ length: 8 }, run));
}

/** Options of a server that compresses, and notes how well, for each connection that got as far as a message. */
function compressing(deflate: DeflateOptions, ratios: (readonly [received: number, sent: number])[]): ServeOptions {
  return {
    ...echo,
    port: 0,
    host: "127.0.0.1",
    deflate,
    close: (ws) => {
      const { messagesReceived, compressionReceived = 1, compressionSent = 1 } = ws.stats();
      if (messagesReceived > 0) ratios.push([compressionReceived, compressionSent]);
    },
  };
}

/** That compression was in use on this many connections, by us and by the peer. */
function assertCompressed(ratios: readonly (readonly [received: number, sent: number])[], count: number): void {
  assert.equal(ratios.length, count);
  for (const [received, sent] of ratios) assert.ok(received < 0.9 && sent < 0.9, `${received}, ${sent}`);
}

describe("permessage-deflate with others", () => {
  for (const deflate of ours) {
    const { serverNoContextTakeover, clientNoContextTakeover, serverMaxWindowBits, clientMaxWindowBits } = deflate;
    const name = `takeover ${!serverNoContextTakeover}/${!clientNoContextTakeover}, bits ${serverMaxWindowBits}/${clientMaxWindowBits}`;

    it(`ws as the client, with all its options; ours: ${name}`, async () => {
      const ratios: [number, number][] = [];
      let count = 0;
      await using server = await serve(compressing(deflate, ratios));
      await all(others, async (theirs) => {
        const client = new WsWebSocket(`ws://127.0.0.1:${server.port}/`, { perMessageDeflate: forWs(theirs) });
        // It takes no server that asks it to keep no context, if it is told so.
        if (clientNoContextTakeover && theirs.clientNoContextTakeover === false) {
          await assert.rejects(once(client, "open"), /Unexpected parameter|Invalid/);
          return;
        }
        await converse(client as unknown as Client, said);
        assert.match(client.extensions, /permessage-deflate/);
        count++;
      });
      await server.close();
      assertCompressed(ratios, count);
    });

    it(`ws as the server, with all its options; ours: ${name}`, async () => {
      await all(others, async (theirs) => {
        await using server = await WsEcho.listen(forWs(theirs));
        const ws = new Stream(await connect({ port: server.port, host: "127.0.0.1" }), { deflate });
        const failure = await ws.handshake("localhost", "/").then(
          () => undefined,
          (error: ServalError) => error.code,
        );
        assert.equal(failure, isExcluded(theirs, deflate) ? "websocket.upgrade_declined" : undefined);
        if (failure === undefined) await talk(ws);
      });
    });

    it(`undici as the client; ours: ${name}`, async () => {
      const ratios: [number, number][] = [];
      await using server = await serve(compressing(deflate, ratios));
      const client = new UndiciWebSocket(`ws://127.0.0.1:${server.port}/`) as unknown as Client;
      await converse(client, said);
      assert.match(client.extensions, /permessage-deflate/);
      await server.close();
      // It compresses nothing itself.
      assertCompressed([[0, ratios[0]![1]]], ratios.length);
    });
  }
});

/** Whether ws's server can't meet what our client offers. Then it declines the handshake, rather than the compression. */
function isExcluded(theirs: WsOptions, ours: Parameters<number, boolean>): boolean {
  if (ours.serverNoContextTakeover && theirs.serverNoContextTakeover === false) return true;
  if (ours.serverMaxWindowBits < 15 && (theirs.serverMaxWindowBits ?? 0) > ours.serverMaxWindowBits) return true;
  return (theirs.clientMaxWindowBits ?? 0) > ours.clientMaxWindowBits;
}

/** Says everything to an echo, hears it come back, and closes. */
async function talk(ws: Stream): Promise<void> {
  for (const message of said) void ws.write(message);
  const heard: (string | Uint8Array)[] = [];
  while (heard.length < said.length) heard.push(await ws.read());
  assert.deepEqual(heard, said);
  const { compressionReceived = 1, compressionSent = 1 } = ws.stats();
  assertCompressed([[compressionReceived, compressionSent]], 1);
  await ws.close({ code: 4321, reason: "done" });
  assert.deepEqual(await ws.closed, { code: 4321, reason: "done", clean: true });
}
