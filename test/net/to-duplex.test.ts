import assert from "node:assert/strict";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { describe, it } from "node:test";
import { fromDuplex } from "../../src/core/index.ts";
import { toDuplex } from "../../src/net/index.ts";
import { everyFailure, pair, type PairOptions, type Run } from "../../src/testing/index.ts";
import {
  isStuck,
  pattern,
  read,
  readExactly,
  readOutcome,
  turns,
  until,
  write,
  writeAll,
} from "../core/support/stream-operations.ts";
import { outcomes } from "../support/outcomes.ts";
import { quiet } from "../support/quiet.ts";

async function collect(duplex: Duplex): Promise<Buffer> {
  const parts: Buffer[] = [];
  duplex.on("data", (part: Buffer) => parts.push(part));
  await once(duplex, "end");
  return Buffer.concat(parts);
}

function writing(duplex: Duplex, bytes: Uint8Array): Promise<Error | null | undefined> {
  return new Promise((resolve) => duplex.write(bytes, resolve));
}

describe("toDuplex", () => {
  for (const options of [{}, { maxRead: 1, maxWrite: 1 }] satisfies PairOptions[]) {
    it(`carries bytes both ways, ${JSON.stringify(options)}`, async () => {
      const [ours, peer] = pair(options);
      const duplex = toDuplex(ours);
      const there = pattern(10_000, 1);
      const back = pattern(10_000, 2);
      const all = collect(duplex);
      duplex.cork();
      for (let at = 0; at < there.length; at += 1000) {
        duplex.write(there.subarray(at, at + 1000));
        duplex.write(new Uint8Array(0));
      }
      duplex.uncork();
      const [received] = await Promise.all([readExactly(peer, there.length), writeAll(peer, back)]);
      assert.ok(received.equals(there));
      peer.end();
      assert.ok((await all).equals(back));
      // The default: who has read to the end and ended is done.
      duplex.end();
      await once(duplex, "close");
      assert.ok(ours.closed);
    });
  }

  it("copies what it reads, since the stream's bytes are borrowed", async () => {
    const [ours, peer] = pair();
    const duplex = toDuplex(ours);
    const [[chunk]] = await Promise.all([once(duplex, "data"), writeAll(peer, Buffer.from("hello"))]);
    await turns();
    assert.equal(String(chunk), "hello");
    duplex.destroy();
  });

  it("passes lists on as lists", async () => {
    const [ours, peer] = pair();
    const duplex = toDuplex(ours);
    duplex.cork();
    for (const text of ["one,", "two,", "three"]) duplex.write(text);
    duplex.uncork();
    assert.equal(String(await read(peer)), "one,two,three");
    duplex.destroy();
  });

  it("reads ahead no more than it has room for", async () => {
    const [ours, peer] = pair({ capacity: 1000 });
    const duplex = toDuplex(ours);
    let sent = 0;
    duplex.once("readable", () => {});
    for (;;) {
      const operation = write(peer, Buffer.alloc(1000, "x"));
      if (await isStuck(operation)) break;
      sent += await operation;
      assert.ok(sent < 10_000_000, "it reads without end");
    }
    assert.ok(sent >= duplex.readableHighWaterMark && sent <= duplex.readableHighWaterMark + 3000, `${sent} bytes`);
    assert.equal(ours.reading, false);
    duplex.destroy();
  });

  it("makes its writer wait while the peer does not read", async () => {
    const [ours, peer] = pair({ capacity: 1000 });
    const duplex = toDuplex(ours);
    const written = writing(duplex, pattern(5000));
    assert.ok(await isStuck(written));
    assert.ok((await readExactly(peer, 5000)).equals(pattern(5000)));
    assert.ok((await written) == null);
    duplex.destroy();
  });

  it("goes on writing after the peer's end", async () => {
    const [ours, peer] = pair();
    const duplex = toDuplex(ours);
    peer.end();
    duplex.resume();
    await once(duplex, "end");
    await turns();
    duplex.write("still here");
    assert.equal(String(await read(peer)), "still here");
    duplex.end("bye");
    assert.equal(String(await read(peer)), "bye");
    assert.equal(await read(peer), undefined);
  });

  it("goes on reading after its own end, which the peer sees at once", async () => {
    const [ours, peer] = pair();
    const duplex = toDuplex(ours);
    const all = collect(duplex);
    duplex.end("question");
    await once(duplex, "finish");
    assert.equal(String(await read(peer)), "question");
    assert.equal(await read(peer), undefined);
    await writeAll(peer, Buffer.from("answer"));
    peer.end();
    assert.equal(String(await all), "answer");
  });

  it("fails as the stream does, for any operation, and closes it", async () => {
    const scenario = async (run: Run): Promise<void> => {
      const [ours, peer] = run.pair();
      const duplex = toDuplex(ours);
      const errors: string[] = [];
      duplex.on("error", (error: Error & { code: string }) => errors.push(error.code));
      duplex.on("data", () => void writing(duplex, Buffer.from("ping")));
      void writing(duplex, Buffer.from("ping"));
      const echo = async (): Promise<void> => {
        await read(peer);
        await writeAll(peer, Buffer.from("pong"));
      };
      await echo().catch(() => {});
      await quiet();
      if (run.met === undefined) duplex.destroy();
      await until(() => duplex.closed);
      assert.deepEqual(errors, outcomes(run));
      await quiet();
    };
    const runs = await everyFailure(scenario, { failures: ["error", "reset"] });
    assert.ok(runs.length > 6, runs.join());
  });

  it("fails if the stream is used elsewhere", async () => {
    const [ours] = pair();
    ours.readSome(() => {});
    const duplex = toDuplex(ours);
    duplex.resume();
    const [error] = (await once(duplex, "error")) as [Error & { code: string }];
    assert.equal(error.code, "core.operation_pending");
  });

  it("resets the stream, as a duplex of Node's sockets and as a stream over it", async () => {
    for (const reset of [
      (duplex: Duplex) => void (duplex as Duplex & { resetAndDestroy(): unknown }).resetAndDestroy(),
      (duplex: Duplex) => fromDuplex(duplex).reset(),
    ]) {
      const [ours, peer] = pair();
      const duplex = toDuplex(ours);
      reset(duplex);
      await once(duplex, "close");
      assert.ok(ours.closed);
      assert.equal((await readOutcome(peer)).error?.code, "core.connection_reset");
    }
  });

  it("closes the stream when destroyed, with anything in flight", async () => {
    const [ours, peer] = pair({ capacity: 10 });
    const duplex = toDuplex(ours);
    duplex.resume();
    void writing(duplex, pattern(1000));
    await until(() => ours.reading);
    const errors: unknown[] = [];
    duplex.on("error", (error) => errors.push(error));
    duplex.destroy();
    await once(duplex, "close");
    assert.ok(ours.closed);
    await turns();
    assert.deepEqual(errors, []);
    peer.close();
  });
});
