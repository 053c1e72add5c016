import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { deflateRawSync } from "node:zlib";
import * as ws from "ws";
import { extension } from "../../src/ws/extension.ts";
import { PerMessageDeflate, type PerMessageDeflateOptions } from "../../src/ws/permessage-deflate.ts";
import { fc, runs } from "../support/property.ts";

// The types of `ws` lack it.
const { PerMessageDeflate: Other } = ws as unknown as { PerMessageDeflate: typeof PerMessageDeflate };

type Init = ConstructorParameters<typeof PerMessageDeflate>[0];

/** What was negotiated from a header, or the error; and the offer. */
function negotiated(Class: typeof PerMessageDeflate, options: Init, header: string): unknown {
  const deflate = new Class(options);
  try {
    const accepted = deflate.accept(extension.parse(header)["permessage-deflate"]!);
    assert.equal(deflate.params, accepted);
    return { offer: deflate.offer(), accepted };
  } catch (error) {
    return { offer: deflate.offer(), error: String(error) };
  }
}

/** One that has negotiated, and its methods as promises. */
function negotiatedOne(init: Init, header = "permessage-deflate") {
  const deflate = new PerMessageDeflate(init);
  deflate.accept(extension.parse(header)["permessage-deflate"]!);
  return {
    deflate,
    compress: promisify(deflate.compress.bind(deflate)) as (data: string | Buffer, fin: boolean) => Promise<Buffer>,
    decompress: promisify(deflate.decompress.bind(deflate)) as (data: Buffer, fin: boolean) => Promise<Buffer>,
  };
}

const text = "Some compressible data, it's compressible.";

describe("PerMessageDeflate's negotiation", () => {
  it("is ws', for every combination of options and parameters", () => {
    const flag = fc.constantFrom(undefined, false, true);
    const bits = fc.constantFrom(undefined, false, true, 8, 11, 15);
    const options = fc.record({
      serverNoContextTakeover: flag,
      clientNoContextTakeover: flag,
      serverMaxWindowBits: bits,
      clientMaxWindowBits: bits,
      isServer: fc.boolean(),
    }) as fc.Arbitrary<object> as fc.Arbitrary<PerMessageDeflateOptions & { isServer: boolean }>; // false is undeclared
    const parameter = fc.constantFrom(
      "server_no_context_takeover",
      "client_no_context_takeover",
      "server_no_context_takeover=1",
      "unknown",
      "server_max_window_bits",
      "server_max_window_bits=8",
      "server_max_window_bits=12",
      "client_max_window_bits",
      "client_max_window_bits=10",
      "client_max_window_bits=15",
      "client_max_window_bits=7",
      "client_max_window_bits=x",
    );
    const offer = fc
      .uniqueArray(parameter, { maxLength: 3 })
      .map((parameters) => ["permessage-deflate", ...parameters].join("; "));
    const header = fc.array(offer, { minLength: 1, maxLength: 2 }).map((offers) => offers.join(", "));
    const property = fc.property(options, header, (init, value) => {
      assert.deepEqual(negotiated(PerMessageDeflate, init, value), negotiated(Other, init, value));
    });
    fc.assert(property, { numRuns: runs(4000) });
  });
});

describe("PerMessageDeflate.compress and decompress", () => {
  it("return what went in, whole and in fragments, with and without takeover", async () => {
    for (const header of [
      "permessage-deflate",
      "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
      "permessage-deflate; server_max_window_bits=9; client_max_window_bits=10",
    ]) {
      const server = negotiatedOne({ isServer: true, threshold: 0 }, header);
      const client = negotiatedOne({ threshold: 0 }, header);
      for (let round = 0; round < 2; round++) {
        const whole = await server.compress(text, true);
        assert.equal(String(await client.decompress(whole, true)), text);
        const [first, second] = [await client.compress("first", false), await client.compress("second", true)];
        assert.equal(String(await server.decompress(first, false)), "first");
        assert.equal(String(await server.decompress(second, true)), "second");
      }
      server.deflate.cleanup();
      client.deflate.cleanup();
    }
  });

  it("use earlier messages with takeover alone", async () => {
    const lengths = async (header: string): Promise<number[]> => {
      const { compress, deflate } = negotiatedOne({ isServer: true }, header);
      const made = [await compress(text, true), await compress(text, true)];
      deflate.cleanup();
      return made.map(({ length }) => length);
    };
    const [first, second] = await lengths("permessage-deflate");
    assert.ok(second! < first!);
    const [third, fourth] = await lengths("permessage-deflate; server_no_context_takeover");
    assert.equal(fourth, third);
  });

  it("take options of zlib", async () => {
    const none = negotiatedOne({ zlibDeflateOptions: { level: 0 } });
    const best = negotiatedOne({
      zlibDeflateOptions: { level: 9, chunkSize: 64 },
      zlibInflateOptions: { chunkSize: 64 },
    });
    const long = text.repeat(20);
    assert.ok((await none.compress(long, true)).length > long.length);
    const small = await best.compress(long, true);
    assert.ok(small.length < text.length * 2);
    assert.equal(String(await best.decompress(small, true)), long);
    none.deflate.cleanup();
    best.deflate.cleanup();
  });

  it("fail for invalid bytes with zlib's error, and for more than maxPayload", async () => {
    const invalid = negotiatedOne({});
    await assert.rejects(invalid.decompress(Buffer.from("something invalid"), true), { code: "Z_DATA_ERROR" });
    const limited = negotiatedOne({ maxPayload: 25, zlibInflateOptions: { chunkSize: 64 } });
    const long = await limited.compress("A".repeat(1000), true);
    await assert.rejects(limited.decompress(long, true), {
      name: "RangeError",
      message: "Max payload size exceeded",
      code: "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH",
    });
    limited.deflate.cleanup();
  });

  it("take messages whose block is marked as the last", async () => {
    const { decompress, deflate } = negotiatedOne({});
    const ended = Buffer.concat([deflateRawSync("ended"), Buffer.from([0])]);
    assert.equal(String(await decompress(ended, true)), "ended");
    assert.equal(String(await decompress(ended, true)), "ended");
    deflate.cleanup();
  });

  it("call back with an error if cleanup comes first", async () => {
    const { compress, deflate } = negotiatedOne({});
    const compressed = compress(text, true);
    process.nextTick(() => deflate.cleanup());
    await assert.rejects(compressed, { message: "The deflate stream was closed while data was being processed" });
  });
});
