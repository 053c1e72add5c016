import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { serve } from "../../src/server/index.ts";
import type { DeflateOptions, StreamOptions } from "../../src/websocket/index.ts";
import { requires } from "../support/programs.ts";
import { Browser } from "./support/browser.ts";

/** What Chromium saw of a conversation with an echo. */
interface Seen {
  extensions: string;
  code: number;
  wasClean: boolean;
  /** Whether all came back as it was sent. */
  isSame: boolean;
}

/** Runs in the page: says everything at once, hears it come back, and closes. */
async function converse({ url, texts, sizes }: { url: string; texts: string[]; sizes: number[] }): Promise<Seen> {
  interface Socket {
    binaryType: string;
    extensions: string;
    onopen: () => void;
    onmessage: (event: { data: string | ArrayBuffer }) => void;
    onclose: (event: { code: number; wasClean: boolean }) => void;
    send(data: string | Uint8Array): void;
    close(code: number, reason: string): void;
  }
  const { WebSocket } = globalThis as unknown as { WebSocket: new (url: string) => Socket };
  const ws = new WebSocket(url);
  ws.binaryType = "arraybuffer";
  const said = [...texts, ...sizes.map((size) => Uint8Array.from({ length: size }, (_, i) => (i * i) >> 5))];
  const text = (data: string | ArrayBuffer | Uint8Array): string =>
    typeof data === "string" ? data : `bytes ${new Uint8Array(data).join()}`;
  const heard: string[] = [];
  return new Promise((resolve) => {
    ws.onopen = () => said.forEach((message) => ws.send(message));
    ws.onmessage = ({ data }) => {
      heard.push(text(data));
      if (heard.length === said.length) ws.close(4321, "done");
    };
    ws.onclose = ({ code, wasClean }) => {
      const isSame = said.length === heard.length && said.every((message, i) => text(message) === heard[i]);
      resolve({ extensions: ws.extensions, code, wasClean, isSame });
    };
  });
}

const texts = ["Hello", "Hello", "", "ünï©ødé 🦊".repeat(300), "x".repeat(100_000), "Hello"];
const sizes = [0, 1, 1000, 1000, 65_536, 200_000];

describe("compression with Chromium", { skip: requires("chromium") }, () => {
  let browser: Browser;
  let page: Page;
  before(async () => {
    browser = await Browser.launch();
    page = await browser.context.newPage();
  });
  after(() => browser?.[Symbol.asyncDispose]());

  const flags = [true, false];
  for (const serverNoContextTakeover of flags) {
    for (const clientNoContextTakeover of flags) {
      for (const [serverMaxWindowBits, clientMaxWindowBits] of [
        [15, 15],
        [9, 15],
        [15, 8],
        [8, 11],
      ] as const) {
        const takeover = `takeover ${!serverNoContextTakeover}/${!clientNoContextTakeover}`;
        it(`${takeover}, bits ${serverMaxWindowBits}/${clientMaxWindowBits}`, async () => {
          const deflate: DeflateOptions = {
            serverNoContextTakeover,
            clientNoContextTakeover,
            serverMaxWindowBits,
            clientMaxWindowBits,
            threshold: 0,
          };
          const ratios: (number | undefined)[] = [];
          const options: StreamOptions = {
            deflate,
            message: (ws, message) => ws.write(message),
            close: (ws) => {
              const { compressionReceived, compressionSent } = ws.stats();
              ratios.push(compressionReceived, compressionSent);
            },
          };
          await using server = await serve({ origins: ["null"], port: 0, host: "127.0.0.1", ...options });
          const seen = await page.evaluate(converse, { url: `ws://127.0.0.1:${server.port}/`, texts, sizes });
          const { extensions, ...rest } = seen;
          assert.deepEqual(rest, { code: 4321, wasClean: true, isSame: true });
          assert.match(extensions, /^permessage-deflate/);
          await server.close();
          assert.equal(ratios.length, 2);
          for (const ratio of ratios) assert.ok(ratio !== undefined && ratio < 0.8, String(ratio));
        });
      }
    }
  }
});
