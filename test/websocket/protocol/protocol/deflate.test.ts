import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  prepare,
  type PreparedMessage,
  Protocol,
  type ProtocolEvent,
  type ProtocolOptions,
} from "../../../../src/websocket/index.ts";
import { liveContexts } from "../../../../src/websocket/deflate/zlib.ts";
import { jsonText, noise, packed } from "../../support/deflated.ts";
import { binary, close, concat, framesIn, ping, text, utf8 } from "../../support/frames.ts";
import { describeEvent, drain, feed, sent } from "../../support/protocol.ts";

const server = (options: Partial<ProtocolOptions> = {}): Protocol => new Protocol({ role: "server", ...options });
const client = (options: Partial<ProtocolOptions> = {}): Protocol => new Protocol({ role: "client", ...options });

const plain = { key: undefined };
const hex = (value: string | Uint8Array): string => Buffer.from(value).toString("hex");

describe("a compressed message", () => {
  it("has the negotiated window and takeover, in both roles", () => {
    for (const [extensions, ours, theirs] of [
      ["permessage-deflate", true, true],
      ["permessage-deflate; server_no_context_takeover", false, true],
      ["permessage-deflate; client_no_context_takeover", true, false],
    ] as const) {
      const one = server({ extensions, deflate: { threshold: 0 } });
      const other = client({ extensions, deflate: { threshold: 0 } });
      const value = jsonText(600);
      const sizes = [one, other].map((each) =>
        [1, 2].map(() => {
          each.send(value);
          const [only] = framesIn(sent(each), each.role);
          assert.equal(only!.rsv, 4);
          return only!.payload.length;
        }),
      );
      const refers = sizes.map(([first, second]) => second! < first! / 4);
      assert.deepEqual(refers, [ours, theirs], extensions);
    }
  });

  it("is inflated in steps, each an event, so that other connections can have their turn", () => {
    const size = 4 * 1024 * 1024;
    const value = new Uint8Array(size).fill(97);
    const one = server({ extensions: "permessage-deflate" });
    const payload = packed(value);
    const seen = feed(one, concat(binary(payload, { rsv: 4 }), ping("after")));
    const steps = seen.filter((each) => each === "inflating").length;
    assert.ok(steps >= size / (320 * 1024), `${steps} steps`);
    assert.deepEqual(seen.slice(steps), [`binary ${"61".repeat(size)}`, `ping ${hex("after")}`]);
  });

  it("is inflated by several protocols at once, each its own", () => {
    const all = [1, 2, 3].map((seed) => ({
      one: server({ extensions: "permessage-deflate" }),
      value: noise(300_000, seed),
    }));
    const heard = all.map(() => "");
    for (const { one, value } of all) one.receive(binary(packed(value), { rsv: 4 }));
    while (heard.includes("")) {
      for (const [i, { one }] of all.entries()) {
        const event = one.next();
        if (event?.type !== "inflating" && event !== undefined) heard[i] = describeEvent(event);
      }
    }
    assert.deepEqual(
      heard,
      all.map(({ value }) => `binary ${hex(value)}`),
    );
  });

  it("fails once maxMessageSize bytes have been inflated, if it is larger", () => {
    for (const parts of [false, true]) {
      const one = server({ extensions: "permessage-deflate", maxMessageSize: 1_000_000, parts });
      const seen: ProtocolEvent["type"][] = [];
      one.receive(binary(packed(new Uint8Array(20_000_000)), { rsv: 4 }));
      for (const { type } of drain(one)) seen.push(type);
      assert.equal(seen.at(-1), "failed");
      assert.ok(seen.length <= 17, `${seen.length} events`);
      assert.deepEqual([one.closeInfo.code, one.canReceive], [1009, false]);
    }
  });

  it("is dropped with the rest if it is being inflated when we close", () => {
    const one = server({ extensions: "permessage-deflate" });
    one.receive(concat(binary(packed(new Uint8Array(2_000_000)), { rsv: 4 }), close(1000)));
    assert.equal(one.next()?.type, "inflating");
    one.close();
    assert.deepEqual(drain(one).map(describeEvent), ["close 1000"]);
  });

  it("fails with 1007 if it is corrupt", () => {
    for (const payload of [utf8("x".repeat(10)), noise(60_000)]) {
      const one = server({ extensions: "permessage-deflate" });
      assert.equal(feed(one, binary(payload, { rsv: 4 })).at(-1), "failed websocket.bad_deflate_data");
      assert.equal(one.closeInfo.code, 1007);
    }
  });

  it("is sent compressed from the threshold on, and if it gets smaller without takeover", () => {
    const extensions = "permessage-deflate; server_no_context_takeover";
    const one = server({ extensions, deflate: { threshold: 100, level: 9 } });
    const rsv = (data: string | Uint8Array | PreparedMessage, options?: { compress?: boolean }): number => {
      one.send(data, options);
      const [only, ...others] = framesIn(sent(one));
      assert.deepEqual(others, []);
      return only!.rsv;
    };
    assert.deepEqual([rsv("a".repeat(99)), rsv("a".repeat(100)), rsv("a".repeat(100), { compress: false })], [0, 4, 0]);
    assert.deepEqual([rsv(prepare("a".repeat(100))), rsv(prepare("a".repeat(100), { compress: false }))], [4, 0]);
    // Longer than what a connection compresses on its own thread, too.
    assert.deepEqual([rsv("a".repeat(100_000)), rsv(new Uint8Array(100_000)), rsv(noise(100_000))], [4, 4, 0]);
  });

  it("holds no context of zlib after the peer's close frame, a failure, or the end", () => {
    const extensions = "permessage-deflate";
    const ends: [how: string, (one: Protocol) => unknown][] = [
      ["the peer's close frame", (one) => feed(one, close(1000))],
      ["both close frames", (one) => (one.close(), feed(one, close(1000)))],
      ["a failure", (one) => feed(one, binary(utf8("x".repeat(10)), { rsv: 4 }))],
      ["another failure", (one) => feed(one, binary("", plain))],
      ["the end", (one) => one.end()],
      [
        "the end within messages",
        (one) => {
          one.send("more", { fin: false });
          one.receive(binary(packed(new Uint8Array(1_000_000)), { rsv: 4 }));
          one.next();
          one.end();
        },
      ],
    ];
    for (const [how, end] of ends) {
      const before = liveContexts();
      const one = server({ extensions, deflate: { threshold: 0 } });
      one.send("a message");
      feed(one, text(packed(utf8("hello")), { rsv: 4 }));
      assert.equal(liveContexts(), before + 2, how);
      end(one);
      assert.equal(liveContexts(), before, how);
    }
  });
});
