import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { PerMessageDeflate } from "../../src/ws/permessage-deflate.ts";
import { Receiver, type ReceiverOptions } from "../../src/ws/receiver.ts";
import { Sender } from "../../src/ws/sender.ts";

/** What a receiver emits. */
function recorded(receiver: Receiver): unknown[][] {
  const events: unknown[][] = [];
  for (const event of ["message", "ping", "pong", "conclude", "error"]) {
    receiver.on(event, (...values: unknown[]) => events.push([event, ...values]));
  }
  return events;
}

const text = Buffer.from("810474657874", "hex");

/** Negotiated compression. */
function deflating(): PerMessageDeflate {
  const deflate = new PerMessageDeflate({ threshold: 0 });
  deflate.params = {};
  return deflate;
}

describe("Receiver", () => {
  it("emits messages, control frames and the end, and drops what comes after it", async () => {
    const receiver = new Receiver();
    const events = recorded(receiver);
    receiver.write(text);
    receiver.write(Buffer.from("02010189017080010289007f", "hex").subarray(0, 11));
    receiver.write(Buffer.from("8a0170880503e86279658100", "hex"));
    await once(receiver, "finish");
    assert.deepEqual(events, [
      ["message", Buffer.from("text"), false],
      ["ping", Buffer.from("p")],
      ["message", Buffer.from([1, 2]), true],
      ["ping", Buffer.alloc(0)],
      ["pong", Buffer.from("p")],
      ["conclude", 1000, Buffer.from("bye")],
    ]);
  });

  it("takes masked frames as the server, byte by byte", async () => {
    const receiver = new Receiver({ isServer: true });
    const [frame] = Sender.frame(Buffer.from("text"), { opcode: 1, fin: true, mask: true, readOnly: true });
    const message = once(receiver, "message");
    for (const byte of frame!) receiver.write(Buffer.from([byte]));
    assert.deepEqual(await message, [Buffer.from("text"), false]);
  });

  it("takes a close frame without a code", async () => {
    const receiver = new Receiver();
    const conclude = once(receiver, "conclude");
    receiver.write(Buffer.from("8800", "hex"));
    assert.deepEqual(await conclude, [1005, Buffer.alloc(0)]);
  });

  it("inflates", async () => {
    const deflate = deflating();
    const receiver = new Receiver({ extensions: { "permessage-deflate": deflate }, isServer: true });
    const compress = promisify(deflate.compress.bind(deflate)) as (data: Buffer, fin: boolean) => Promise<Buffer>;
    // Long enough to be inflated in several steps.
    const long = Buffer.alloc(2_000_000, "0123456789abcdef");
    for (const message of [Buffer.from("short"), long]) {
      const payload = await compress(message, true);
      const received = once(receiver, "message");
      const frame = Sender.frame(payload, { opcode: 2, fin: true, rsv1: true, mask: true, readOnly: true });
      for (const piece of frame) receiver.write(piece);
      const [data, isBinary] = (await received) as [Buffer, boolean];
      assert.ok(data.equals(message));
      assert.equal(isBinary, true);
    }
    deflate.cleanup();
    receiver.destroy();
  });

  const violations: [what: string, hex: string, code: string, message: string, options?: ReceiverOptions][] = [
    ["RSV1", "c100", "WS_ERR_UNEXPECTED_RSV_1", "Invalid WebSocket frame: RSV1 must be clear"],
    ["RSV2", "a100", "WS_ERR_UNEXPECTED_RSV_2_3", "Invalid WebSocket frame: RSV2 and RSV3 must be clear"],
    ["an opcode", "8300", "WS_ERR_INVALID_OPCODE", "Invalid WebSocket frame: invalid opcode 3"],
    ["a continuation", "8000", "WS_ERR_INVALID_OPCODE", "Invalid WebSocket frame: invalid opcode 0"],
    ["a fragmented ping", "0900", "WS_ERR_EXPECTED_FIN", "Invalid WebSocket frame: FIN must be set"],
    ["a mask", "818000000000", "WS_ERR_UNEXPECTED_MASK", "Invalid WebSocket frame: MASK must be clear"],
    ["no mask", "8100", "WS_ERR_EXPECTED_MASK", "Invalid WebSocket frame: MASK must be set", { isServer: true }],
    [
      "a long ping",
      "897e007e",
      "WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH",
      "Invalid WebSocket frame: invalid payload length 126",
    ],
    ["a close code", "880203ec", "WS_ERR_INVALID_CLOSE_CODE", "Invalid WebSocket frame: invalid status code 1004"],
    ["invalid text", "8101ff", "WS_ERR_INVALID_UTF8", "Invalid WebSocket frame: invalid UTF-8 sequence"],
    [
      "a long message",
      "8203010203",
      "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH",
      "Max payload size exceeded",
      { maxPayload: 2 },
    ],
    [
      "many fragments",
      "020101000102800103",
      "WS_ERR_TOO_MANY_BUFFERED_PARTS",
      "Too many message fragments",
      { maxFragments: 2 },
    ],
  ];
  for (const [what, hex, code, message, options] of violations) {
    it(`fails for ${what}, after what came before`, async () => {
      const receiver = new Receiver(options);
      const events = recorded(receiver);
      const before = options?.isServer ? "818000000000" : "8900";
      receiver.write(Buffer.from(`${before}${hex}`, "hex"));
      if (!receiver.errored) await once(receiver, "error");
      await new Promise(setImmediate);
      assert.equal(events.length, 2);
      const [name, error] = events[1] as [string, Error & { code: string }];
      assert.deepEqual([name, error.code, error.message], ["error", code, message]);
    });
  }

  it("takes invalid text if it is told to", async () => {
    const receiver = new Receiver({ skipUTF8Validation: true });
    const message = once(receiver, "message");
    receiver.write(Buffer.from("8101ff", "hex"));
    assert.deepEqual(await message, [Buffer.from([0xff]), false]);
  });

  it("gives messages of bytes in the form it is told to", async () => {
    const received = async (binaryType: "arraybuffer" | "fragments" | "blob"): Promise<unknown> => {
      const receiver = new Receiver({ binaryType });
      const message = once(receiver, "message");
      receiver.write(Buffer.from("82020102", "hex"));
      return ((await message) as unknown[])[0];
    };
    assert.deepEqual(await received("arraybuffer"), new Uint8Array([1, 2]).buffer);
    assert.deepEqual(await received("fragments"), [Buffer.from([1, 2])]);
    const blob = (await received("blob")) as Blob;
    assert.deepEqual(await blob.arrayBuffer(), new Uint8Array([1, 2]).buffer);
  });

  it("gives each event a turn of its own, without allowSynchronousEvents", async () => {
    const receiver = new Receiver({ allowSynchronousEvents: false });
    const events = recorded(receiver);
    const written = new Promise((resolve) => receiver.write(Buffer.concat([text, text, text]), resolve));
    const counts: number[] = [];
    receiver.on("message", () => setImmediate(() => counts.push(events.length)));
    assert.equal(events.length, 0);
    await written;
    assert.equal(events.length, 3);
    assert.deepEqual(counts.slice(0, 2), [1, 2]);
  });

  it("leaves what a listener throws to its caller, and goes on", async () => {
    const receiver = new Receiver();
    receiver.once("message", () => {
      throw new Error("from a listener");
    });
    assert.throws(() => receiver.write(Buffer.concat([text, text])), { message: "from a listener" });
    assert.deepEqual(await once(receiver, "message"), [Buffer.from("text"), false]);
    const next = once(receiver, "message");
    receiver.write(text);
    await next;
  });
});
