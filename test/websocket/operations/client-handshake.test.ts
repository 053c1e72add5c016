import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServalError } from "../../../src/core/index.ts";
import { Fields, type Request } from "../../../src/http/index.ts";
import { deflateSettings } from "../../../src/websocket/handshake/permessage-deflate.ts";
import { close, concat, text } from "../support/frames.ts";
import { latin1, type Changes } from "../support/requests.ts";
import { responseBytes, switching } from "../support/responses.ts";
import { quiet } from "../../support/quiet.ts";
import { outcomeOf, shaking, type Shaking, type ShakingCall } from "../support/shaking.ts";
import { fc, runs } from "../../support/property.ts";

const unmasked = { key: undefined };
const frames = concat(text("hello", unmasked), close(1000, "", unmasked));
const shownFrames = Buffer.from(frames).toString("latin1");

const answering =
  (changes: Changes = {}, line = switching, body = "") =>
  (accept: string): Uint8Array[] => [responseBytes({ "Sec-WebSocket-Accept": accept, ...changes }, line, body)];
const refusing =
  (headers: string, body: string, line = "HTTP/1.1 403 Forbidden") =>
  (): Uint8Array[] => [latin1(`${line}\r\n${headers}\r\n${body}`)];

async function shaken(call: ShakingCall): Promise<Shaking> {
  const state = shaking(call);
  await quiet();
  return state;
}

/** What holds of every success. */
function succeeds(state: Shaking): void {
  assert.equal(state.error, undefined);
  assert.deepEqual(state.told, ["sent", "received", "completed"]);
  assert.deepEqual([state.inside, state.next.closed, state.clock.pending], [false, false, 0]);
  assert.equal(state.response?.status, 101);
}

/** What holds of every failure behind which the request was sent. */
function fails(state: Shaking, code: string): void {
  assert.equal(state.error?.code, code);
  assert.ok(state.error instanceof ServalError);
  const told = state.response === undefined ? [] : ["received"];
  assert.deepEqual(state.told, ["sent", ...told, "completed", "ended"]);
  assert.deepEqual([state.inside, state.closedBefore, state.next.closed, state.clock.pending], [false, true, true, 0]);
  assert.equal(state.result, undefined);
}

describe("a client's handshake succeeds", () => {
  it("writes the request, and returns what was negotiated", async () => {
    const deflate = deflateSettings({ serverNoContextTakeover: false }, () => true);
    const state = await shaken({
      input: { protocols: ["a", "b"], deflate, headers: { Origin: "http://a.example" } },
      answer: answering({ "Sec-WebSocket-Protocol": "b", "Sec-WebSocket-Extensions": "permessage-deflate" }),
    });
    succeeds(state);
    const lines = state.received.split("\r\n");
    assert.deepEqual(lines.slice(0, 2), ["GET /chat HTTP/1.1", "Host: example.com"]);
    assert.ok(lines.includes("Sec-WebSocket-Protocol: a, b") && lines.includes("Origin: http://a.example"));
    assert.equal(state.request?.headers.get("Origin"), "http://a.example");
    assert.equal(state.result?.protocol, "b");
    assert.equal(state.result?.deflate?.serverNoContextTakeover, false);
    assert.equal(state.response?.status, 101);
    assert.equal(state.result?.rest.length, 0);
  });

  it("however the response is split, with the first frames after it", async () => {
    const size = responseBytes().length + frames.length;
    const whole = (accept: string): Uint8Array => concat(...answering()(accept), frames);
    for (let at = 0; at <= size; at++) {
      const state = shaking({ answer: (accept) => [whole(accept).subarray(0, at), whole(accept).subarray(at)] });
      await quiet();
      succeeds(state);
      const { rest } = state.result!;
      const missing = frames.length - rest.length;
      // What has not been read yet waits in the next layer.
      assert.equal(state.next.unread, missing);
      assert.equal(Buffer.from(rest).toString("latin1"), shownFrames.slice(0, rest.length));
    }
    for (const maxRead of [1, 2, 7, 100, Infinity]) {
      const state = await shaken({ pair: { maxRead, maxWrite: maxRead }, answer: (accept) => [whole(accept)] });
      succeeds(state);
      assert.equal(state.result!.rest.length + state.next.unread, frames.length);
    }
  });

  it("skips interim responses", async () => {
    const early = latin1("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n");
    const state = await shaken({ answer: (accept) => [early, early, ...answering()(accept), frames] });
    succeeds(state);
    assert.equal(state.result!.rest.length + state.next.unread, frames.length);
  });

  it("has a new key each time", async () => {
    const keys = new Set<string | undefined>();
    for (let i = 0; i < 3; i++) {
      keys.add((await shaken({ answer: answering() })).request?.headers.get("Sec-WebSocket-Key"));
    }
    assert.equal(keys.size, 3);
  });

  it("has no deadline with Infinity", async () => {
    const state = await shaken({ input: { handshakeMs: Infinity } });
    assert.equal(state.clock.pending, 0);
    await state.clock.advance(1e9);
    assert.deepEqual(state.told, ["sent"]);
    state.operation.abort(new ServalError("a.b", "aborted", ""));
    await quiet();
    fails(state, "a.b");
  });

  it("leaves the next layer alone afterwards", async () => {
    const controller = new AbortController();
    const state = await shaken({ answer: answering(), signal: controller.signal });
    succeeds(state);
    controller.abort();
    state.operation.abort(new ServalError("a.b", "aborted", ""));
    await state.clock.advance(1e9);
    succeeds(state);
  });
});

describe("the error of a refused client's handshake has the response", () => {
  const hello = "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n";
  const chunked = "Transfer-Encoding: chunked\r\n";
  const refusals: [name: string, answer: () => Uint8Array[], ends: boolean, isWhole: boolean, body?: string][] = [
    ["with a length", refusing("Content-Length: 5\r\n", "hello"), false, true],
    ["in chunks", refusing(chunked, hello), false, true],
    ["up to the end", refusing("", "hello"), true, true],
    ["without a body", refusing("Content-Length: 0\r\n", ""), false, true, ""],
    ["with a body that ends too early", refusing("Content-Length: 50\r\n", "hello"), true, false],
    ["with a chunked body that ends too early", refusing(chunked, hello.slice(0, -3)), true, false],
    ["with chunks that are wrong", refusing(chunked, "5\r\nhelloX"), false, false],
    ["in an encoding that we don't know", refusing("Transfer-Encoding: gzip\r\n", "hello"), false, false, ""],
  ];
  for (const [name, answer, ends, isWhole, body = "hello"] of refusals) {
    it(name, async () => {
      for (const maxRead of [1, 3, Infinity]) {
        const state = await shaken({ answer, ends, pair: { maxRead } });
        fails(state, "websocket.upgrade_declined");
        assert.deepEqual(outcomeOf(state).response, [403, body]);
        const { response, message, condition } = state.error!;
        assert.equal(condition, "handshake_failed");
        const cut = isWhole ? "" : ` (its body is cut after ${body.length} bytes)`;
        assert.equal(message, `The server declined the WebSocket handshake: 403 Forbidden${cut}`);
        assert.equal(response?.status, 403);
        assert.equal(Buffer.from(response.body).toString(), body);
      }
    });
  }

  it("cut at the limit, without waiting for the rest", async () => {
    const large = "x".repeat(70_000);
    const chunk = `${large.length.toString(16)}\r\n${large}`;
    for (const answer of [
      refusing("Content-Length: 9007199254740991\r\n", large),
      refusing("Transfer-Encoding: chunked\r\n", chunk),
      refusing("", large),
    ]) {
      const state = await shaken({ answer });
      fails(state, "websocket.upgrade_declined");
      assert.equal(state.error?.response?.body.length, 65_536);
      assert.match(state.error.message, /403 Forbidden \(its body is cut after 65,536 bytes\)$/);
    }
  });

  it("as far as received within a second of its head, or by a reset", async () => {
    for (const [headers, body] of [
      ["", "hello"],
      ["Content-Length: 50\r\n", "hello"],
      ["Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"],
    ] as const) {
      const late = await shaken({ answer: refusing(headers, body) });
      await late.clock.advance(999);
      assert.deepEqual(late.told, ["sent"]);
      await late.clock.advance(1);
      fails(late, "websocket.upgrade_declined");
      assert.deepEqual(outcomeOf(late).response, [403, "hello"]);
      assert.match(late.error!.message, /403 Forbidden \(its body is cut after 5 bytes\)$/);
    }
    const answer = refusing("", "hello");

    const reset = await shaken({ answer });
    reset.next.reset();
    await quiet();
    fails(reset, "websocket.upgrade_declined");
    assert.deepEqual(outcomeOf(reset).response, [403, "hello"]);
  });

  it("as far as received within a second, even if it goes on byte by byte", async () => {
    const state = await shaken({ answer: refusing("", "hello") });
    for (let i = 0; i < 10; i++) {
      await state.clock.advance(100);
      state.server.writeSome(latin1("!"), () => {});
      await quiet();
    }
    fails(state, "websocket.upgrade_declined");
    assert.deepEqual(outcomeOf(state).response, [403, "hello!!!!!!!!!"]);
  });

  it("as far as received by the deadline of the handshake, if that comes earlier", async () => {
    const state = await shaken({ answer: refusing("", "hello"), input: { handshakeMs: 500 } });
    await state.clock.advance(500);
    fails(state, "websocket.upgrade_declined");
    assert.deepEqual(outcomeOf(state).response, [403, "hello"]);
  });

  it("as far as received, if it is a redirect, whose Location says all", async () => {
    for (const [body, ends] of [
      ["Content-Length: 50\r\n\r\nmoved", true],
      ["\r\nmoved", false],
      ["Transfer-Encoding: chunked\r\n\r\n5\r\nmoved\r\n", false],
      ["Transfer-Encoding: chunked\r\n\r\n5\r\nmovedX", false],
    ] as const) {
      const answer = (): Uint8Array[] => [latin1(`HTTP/1.1 302 Found\r\nLocation: /there\r\n${body}`)];
      const state = await shaken({ answer, ends });
      fails(state, "websocket.upgrade_declined");
      assert.equal(state.error?.response?.headers.get("Location"), "/there");
      assert.deepEqual(outcomeOf(state).response, [302, "moved"]);
      assert.match(state.error.message, /302 Found \(its body is cut after 5 bytes\)$/);
    }
  });

  it("that redirects", async () => {
    const headers = "Location: https://b.example/\r\nContent-Length: 0\r\n";
    const state = await shaken({ answer: refusing(headers, "", "HTTP/1.1 301 Moved Permanently") });
    fails(state, "websocket.upgrade_declined");
    assert.equal(state.error?.response?.headers.get("location"), "https://b.example/");
  });
});

describe("a client's handshake fails for an invalid response", () => {
  const accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
  const wrong: [code: string, changes: Changes, line?: string][] = [
    ["websocket.bad_sec_accept", { "Sec-WebSocket-Accept": accept }],
    ["websocket.bad_sec_accept", { "Sec-WebSocket-Accept": [accept, accept] }],
    ["websocket.no_sec_accept", { "Sec-WebSocket-Accept": undefined }],
    ["websocket.no_upgrade_websocket", { Upgrade: ["websocket", "websocket"] }],
    ["websocket.no_connection_upgrade", { Connection: "close" }],
    ["websocket.bad_sec_protocol", { "Sec-WebSocket-Protocol": "other" }],
    ["websocket.bad_sec_protocol", { "Sec-WebSocket-Protocol": ["a", "a"] }],
    ["websocket.bad_sec_extensions", { "Sec-WebSocket-Extensions": "permessage-deflate" }],
    ["websocket.bad_http_version", {}, "HTTP/1.0 101 Switching Protocols"],
  ];
  for (const [code, changes, line] of wrong) {
    it(`${code}: ${line ?? JSON.stringify(changes)}`, async () => {
      for (const behind of [new Uint8Array(0), frames]) {
        const state = await shaken({
          input: { protocols: ["a"] },
          answer: (right) => [...answering(changes, line)(right), behind],
        });
        fails(state, code);
        assert.equal(state.error?.response, state.response);
        assert.equal(state.response?.status, 101);
      }
    });
  }

  const unparsed: [code: string, bytes: string, ends?: boolean][] = [
    ["http.bad_start_line", "\x15\x03\x01\x00\x02\x02\x46"],
    ["http.bad_start_line", "\x16\x03\x03"],
    ["http.bad_start_line", "SSH-2.0-OpenSSH_9.2\r\n"],
    ["http.bad_start_line", "HTTP/2 101 Switching Protocols\r\n"],
    ["http.bad_start_line", shownFrames],
    ["http.bad_status", "HTTP/1.1 1O1 Switching Protocols\r\n"],
    ["http.bad_line_ending", "HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\n\n"],
    ["http.bad_obs_fold", "HTTP/1.1 101 S\r\nA: b\r\n c\r\n\r\n"],
    ["http.multiple_content_length", "HTTP/1.1 200 S\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"],
    ["http.field_limit", `HTTP/1.1 101 S\r\n${"a:\r\n".repeat(2001)}`],
    ["http.interim_limit", "HTTP/1.1 100 Continue\r\n\r\n".repeat(1000)],
    ["websocket.buffer_overflow", `HTTP/1.1 101 ${"x".repeat(20_000)}`],
    ["websocket.closed", "", true],
    ["http.partial_message", "H", true],
    ["http.partial_message", "HTTP/1.1 101 S\r\nUpgrade: websocket\r\n", true],
    ["http.partial_message", "HTTP/1.1 100 Continue\r\n\r\n", true],
  ];
  for (const [code, bytes, ends = false] of unparsed) {
    it(`${code}: ${JSON.stringify(bytes.slice(0, 60))}`, async () => {
      for (const maxRead of [1, Infinity]) {
        const state = await shaken({ answer: () => [latin1(bytes)], ends, pair: { maxRead } });
        fails(state, code);
        assert.equal(state.error?.response, undefined);
      }
    });
  }

  it("maxHeadersCount: as many headers pass, one more does not, and the error names the option", async () => {
    const count = 3;
    succeeds(await shaken({ answer: answering(), input: { maxHeadersCount: count } }));
    const state = await shaken({ answer: answering(), input: { maxHeadersCount: count - 1 } });
    fails(state, "http.field_limit");
    assert.match(state.error!.message, /more headers than allowed: maxHeadersCount is 2$/);
    const many = responseBytes().length + 1000 * "a: b\r\n".length;
    assert.ok(many < 16_384);
    succeeds(await shaken({ answer: answering({ a: Array.from({ length: 1000 }, () => "b") }) }));
  });

  it("maxHeaderSize: a head of that size passes, one byte more does not", async () => {
    const size = responseBytes().length;
    succeeds(await shaken({ answer: answering(), input: { maxHeaderSize: size } }));
    const state = await shaken({ answer: answering(), input: { maxHeaderSize: size - 1 } });
    fails(state, "websocket.buffer_overflow");
    assert.equal((state.error!.cause as ServalError).code, "http.header_limit");
  });
});

describe("a client's handshake has one deadline", () => {
  const halves: [name: string, call: ShakingCall][] = [
    ["the server does not read", { serverPair: { capacity: 10 }, pair: { maxWrite: 10 }, deaf: true }],
    ["nothing comes", {}],
    ["half a response comes", { answer: () => [latin1("HTTP/1.1 101 S")] }],
    ["interim responses come", { answer: () => [latin1("HTTP/1.1 100 Continue\r\n\r\n")] }],
  ];
  for (const [name, call] of halves) {
    it(name, async () => {
      const state = await shaken(call);
      await state.clock.advance(29_999);
      assert.deepEqual(state.told, ["sent"]);
      await state.clock.advance(1);
      fails(state, "core.timeout");
      assert.match(state.error!.message, /handshake/);
    });
  }

  it("that ends with success", async () => {
    const state = await shaken({ answer: answering() });
    succeeds(state);
  });
});

describe("a client's handshake throws at its start, and starts nothing", () => {
  const throws = (call: ShakingCall, expected: object): void => {
    const told: string[] = [];
    let operations = 0;
    const setTimer = (): never => assert.fail("a timer");
    const clock = { now: () => 0, setTimer };
    assert.throws(() => {
      const state = shaking({ ...call, input: { ...call.input, clock } });
      told.push(...state.told);
      operations = state.next.operations;
    }, expected);
    assert.deepEqual([told, operations], [[], 0]);
  };

  it("for an invalid request", () => {
    throws({ input: { host: "" } }, { code: "core.invalid_argument" });
    throws({ input: { target: "chat" } }, { code: "core.invalid_argument" });
    throws({ input: { protocols: ["a", "a"] } }, { code: "core.invalid_argument" });
    throws({ input: { headers: { Host: "b" } } }, { code: "core.invalid_argument" });
    throws({ input: { host: "" }, signal: AbortSignal.abort() }, { code: "core.invalid_argument" });
  });

  it("for a decorate that changes the handshake", async () => {
    const bug = new Error("bug");
    const hooks: [string, (request: Request) => unknown][] = [
      ["websocket.bad_upgrade_result", (request) => request.headers.set("Host", "b")],
      ["websocket.bad_upgrade_result", (request) => request.headers.append("Sec-WebSocket-Key", "b")],
      ["websocket.bad_upgrade_result", (request) => request.headers.append("Transfer-Encoding", "chunked")],
      ["websocket.bad_upgrade_result", (request) => void Object.assign(request, { method: "POST" })],
      ["websocket.bad_upgrade_result", (request) => void Object.assign(request, { target: "/other" })],
      ["websocket.bad_upgrade_result", (request) => (request.body = Uint8Array.of(1))],
      ["websocket.bad_upgrade_result", () => Promise.resolve()],
      ["websocket.bad_upgrade_result", () => Promise.reject(bug)],
      ["http.bad_value", (request) => (request.headers.raw as string[]).push("a", "b\r\nc: d")],
    ];
    for (const [code, decorate] of hooks) throws({ input: { decorate } }, { code });
    const decorate = (): never => {
      throw bug;
    };
    throws({ input: { decorate } }, { code: "websocket.handler_failed", cause: bug });
    await quiet();
  });

  it("lets decorate add headers, after all others", async () => {
    const decorate = (request: Request): void => request.headers.append("A", request.headers.get("B")!);
    const state = await shaken({ input: { decorate, headers: new Fields({ B: "c" }) }, answer: answering() });
    succeeds(state);
    assert.match(state.received, /\r\nB: c\r\nA: c\r\n\r\n$/);
  });
});

describe("a client's handshake", () => {
  it("whose signal has fired before writes nothing", async () => {
    const state = await shaken({ signal: AbortSignal.abort("enough") });
    assert.deepEqual(state.told, ["completed", "ended"]);
    assert.deepEqual([state.error?.code, state.error?.cause], ["core.aborted", "enough"]);
    assert.deepEqual(
      [state.inside, state.next.closed, state.next.operations, state.clock.pending],
      [false, true, 0, 0],
    );
  });

  it("whose signal is a passed deadline keeps a refusal", async () => {
    const controller = new AbortController();
    const answer = (): Uint8Array[] => [latin1("HTTP/1.1 403 No\r\n\r\nbody without end")];
    const state = shaking({ signal: controller.signal, answer });
    await quiet();
    controller.abort(new ServalError("core.timeout", "timeout", ""));
    await quiet();
    assert.deepEqual([state.error?.code, state.error?.response?.status], ["websocket.upgrade_declined", 403]);
    const none = shaking({ signal: controller.signal });
    await quiet();
    assert.equal(none.error?.code, "core.aborted");
  });

  it("has the same result at every split of its response", async () => {
    const pieces = fc.constantFrom(
      switching,
      "HTTP/1.1 403 No",
      "HTTP/1.1 100 Continue",
      "\r\n",
      "\r\n\r\n",
      "Upgrade: websocket\r\n",
      "Connection: Upgrade\r\n",
      "Content-Length: 3\r\n",
      "Transfer-Encoding: chunked\r\n",
      "Sec-WebSocket-Accept: $\r\n",
      "Sec-WebSocket-Protocol: a\r\n",
      "3\r\nabc\r\n0\r\n\r\n",
      "\0",
    );
    const whole = fc.constant([
      "HTTP/1.1 101 S\r\nUpgrade: websocket\r\n",
      "Connection: Upgrade\r\n",
      "Sec-WebSocket-Accept: $\r\n\r\n",
    ]);
    const refused = fc.constant(["HTTP/1.1 403 No\r\n", "Transfer-Encoding: chunked\r\n\r\n"]);
    const answers = fc.tuple(fc.oneof(whole, refused, fc.constant([])), fc.array(pieces, { maxLength: 8 }));
    await fc.assert(
      fc.asyncProperty(
        answers,
        fc.array(fc.nat(200), { maxLength: 4 }),
        fc.boolean(),
        async ([first, then], cuts, ends) => {
          const bytesFor = (accept: string): Uint8Array => latin1([...first, ...then].join("").replaceAll("$", accept));
          const cut = (bytes: Uint8Array): Uint8Array[] => {
            const at = [0, ...cuts.filter((one) => one < bytes.length).toSorted((a, b) => a - b), bytes.length];
            return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
          };
          const input = { protocols: ["a"] };
          const runs = [
            shaking({ input, ends, answer: (accept) => [bytesFor(accept)] }),
            shaking({ input, ends, answer: (accept) => cut(bytesFor(accept)) }),
            shaking({ input, ends, answer: (accept) => [bytesFor(accept)], pair: { maxRead: 1 } }),
          ];
          await quiet();
          const [expected, ...others] = runs.map((state) => {
            const { rest, response, ...outcome } = outcomeOf(state);
            // Every run has a key of its own, so what answers it differs, but for its size.
            const answered = response && [response[0], response[1].length];
            const behind = rest === undefined ? undefined : rest.length + state.next.unread;
            return { ...outcome, answered, behind, told: state.told };
          });
          for (const other of others) assert.deepEqual(other, expected);
          for (const state of runs) state.operation.abort(new ServalError("a.b", "aborted", ""));
        },
      ),
      { numRuns: runs(500) },
    );
  });
});
