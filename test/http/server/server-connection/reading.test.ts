import assert from "node:assert/strict";
import { it } from "node:test";
import { decodeLatin1 } from "../../../../src/core/text.ts";
import { Response, serve } from "../../../../src/http/index.ts";
import { pair, VirtualClock, type PairStream } from "../../../../src/testing/index.ts";
import { turns } from "../../../core/support/stream-operations.ts";
import { bytesOf } from "../../support/samples.ts";

const get = (target: string): Uint8Array => bytesOf(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
const send = (peer: PairStream, bytes: Uint8Array): Promise<void> =>
  new Promise((resolve) => peer.writeSome(bytes, () => resolve()));

/** A client whose end takes 20 bytes and no more until it reads. */
function stalled(stop?: AbortSignal): { stream: PairStream; peer: PairStream; asked: string[]; served: Promise<void> } {
  const [stream, peer] = pair({}, { capacity: 20 });
  const asked: string[] = [];
  const handler = ({ target }: { target: string }): Response => {
    asked.push(target);
    return new Response({ body: `answer to ${target}` });
  };
  const served = serve(stream, handler, { clock: new VirtualClock(), date: false, stop });
  return { stream, peer, asked, served };
}

async function readAll(peer: PairStream): Promise<string> {
  let text = "";
  for (;;) {
    const part = await new Promise<string | undefined>((resolve) => {
      peer.readSome((_error, bytes) => resolve(bytes && decodeLatin1(bytes)));
    });
    if (part === undefined) return text;
    text += part;
  }
}

it("one read of requests is taken and kept while a response is being written, and no second one", async () => {
  const { stream, peer, asked, served } = stalled();
  await send(peer, get("/1"));
  await turns();
  assert.deepEqual([asked, stream.reading], [["/1"], true]);
  await send(peer, get("/2"));
  await turns();
  assert.deepEqual([asked, stream.reading], [["/1"], false]);
  await send(peer, get("/3"));
  await turns();
  assert.deepEqual([asked, stream.unread], [["/1"], get("/3").length]);
  peer.end();
  const text = await readAll(peer);
  assert.deepEqual(text.match(/answer to \/./g), ["answer to /1", "answer to /2", "answer to /3"]);
  peer.close();
  await served;
});

it("a response being written arrives whole if the client ends its side, or the server stops", async () => {
  for (const how of ["end", "stop"]) {
    const stop = new AbortController();
    const { peer, served } = stalled(stop.signal);
    await send(peer, get("/1"));
    await turns();
    if (how === "end") peer.end();
    else stop.abort();
    await turns();
    assert.match(await readAll(peer), /^HTTP\/1.1 200 OK\r\n.*answer to \/1$/s, how);
    peer.close();
    await served;
  }
});
