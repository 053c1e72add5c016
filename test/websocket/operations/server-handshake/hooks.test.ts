import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Fields, Request, Response } from "../../../../src/http/index.ts";
import type { StreamOptions, UpgradeResult } from "../../../../src/websocket/index.ts";
import { concat, text } from "../../support/frames.ts";
import { afterSteps, quiet } from "../../../support/quiet.ts";
import { accepting, ended, type Accepting } from "../../support/kit.ts";
import { requestBytes, type Changes } from "../../support/requests.ts";

/** A request with protocols offered, and a frame behind it. */
async function run(options: StreamOptions, changes: Changes = {}): Promise<Accepting> {
  const request = requestBytes({ "Sec-WebSocket-Protocol": ["chat", "superchat"], ...changes });
  const state = accepting({ options, source: concat(request, text("first")) });
  // Reading a response of fetch's takes turns of the event loop.
  for (let turn = 0; turn < 50 && state.completions === 0; turn++) await quiet();
  await quiet();
  assert.deepEqual([state.completions, state.inside], [1, false]);
  return state;
}

/** As much of the outcome as the application and the peer see. */
function seen({
  error,
  peer,
  messages,
}: Accepting): [code: string | undefined, status: number | undefined, messages: number] {
  return [error?.code, peer.response?.status, messages.length];
}

/** Each result of a hook, given at once, from an async function, and by another library's promise. */
const ways: [name: string, wrap: (result: UpgradeResult) => unknown][] = [
  ["at once", (result) => result],
  ["as a promise", async (result) => result],
  [
    "as a thenable",
    // oxlint-disable-next-line unicorn/no-thenable -- it is one that this test is about
    (result) => ({ then: (resolve: (value: unknown) => void) => afterSteps(3, () => resolve(result)) }),
  ],
];

for (const [way, wrap] of ways) {
  describe(`upgrade, ${way}`, () => {
    const upgrade = (result: UpgradeResult): StreamOptions => ({
      upgrade: () => wrap(result) as UpgradeResult,
    });

    it("gets the request and the peer, and may accept by returning nothing", async () => {
      const peer = { address: "192.0.2.1", port: 4 };
      const calls: unknown[][] = [];
      const state = await run({
        peer,
        upgrade: (...given) => {
          calls.push(given);
          return wrap(undefined) as UpgradeResult;
        },
      });
      assert.deepEqual(seen(state), [undefined, 101, 1]);
      assert.equal(calls.length, 1);
      assert.ok(calls[0][0] instanceof Request);
      assert.deepEqual([calls[0][0], calls[0][1]], [state.ws.request, peer]);
      assert.equal(state.peer.response?.headers.has("Sec-WebSocket-Protocol"), false);
    });

    it("accepts with a protocol, headers and data", async () => {
      const headers: [string, string][] = [
        ["Set-Cookie", "a=1"],
        ["Set-Cookie", "b=2"],
      ];
      for (const given of [headers, new Fields(headers), new Headers(headers)]) {
        const state = await run(upgrade({ protocol: "superchat", headers: given, data: { user: 7 } }));
        assert.deepEqual(seen(state), [undefined, 101, 1]);
        assert.deepEqual([state.ws.protocol, state.ws.data], ["superchat", { user: 7 }]);
        const response = state.peer.response!;
        assert.equal(response.headers.get("Sec-WebSocket-Protocol"), "superchat");
        assert.deepEqual(response.headers.getAll("Set-Cookie"), ["a=1", "b=2"]);
      }
      const record = await run(upgrade({ headers: { "X-One": "1" } }));
      assert.equal(record.peer.response?.headers.get("x-one"), "1");
    });

    const useless: [name: string, result: unknown, code: string][] = [
      ["a protocol that was not offered", { protocol: "other" }, "websocket.bad_upgrade_result"],
      ["a protocol in another case", { protocol: "Chat" }, "websocket.bad_upgrade_result"],
      ["the empty protocol", { protocol: "" }, "websocket.bad_upgrade_result"],
      ["a field with a line break", { headers: { A: "b\r\nSet-Cookie: x" } }, "http.bad_value"],
      ["a field name with a line break", { headers: { "A: b\r\nC": "d" } }, "http.bad_field"],
      ["Connection among the fields", { headers: { connection: "close" } }, "websocket.bad_upgrade_result"],
      ["another Sec-WebSocket-Accept", { headers: { "Sec-WebSocket-Accept": "x" } }, "websocket.bad_upgrade_result"],
      ["an extension", { headers: { "Sec-WebSocket-Extensions": "x" } }, "websocket.bad_upgrade_result"],
      [
        "a protocol by way of the fields",
        { headers: { "Sec-WebSocket-Protocol": "chat" } },
        "websocket.bad_upgrade_result",
      ],
      ["Content-Length", { headers: { "Content-Length": "0" } }, "websocket.bad_upgrade_result"],
      ["Transfer-Encoding", { headers: { "Transfer-Encoding": "chunked" } }, "websocket.bad_upgrade_result"],
      ["a number", 5, "websocket.bad_upgrade_result"],
      ["null", null, "websocket.bad_upgrade_result"],
      ["a Response with status 101", new Response({ status: 101 }), "websocket.bad_upgrade_result"],
      [
        "a Response that can't be sent",
        new Response({ status: 403, headers: { "Transfer-Encoding": "gzip" } }),
        "http.bad_transfer_encoding",
      ],
      [
        "a Response with a wrong length",
        new Response({ status: 403, headers: { "Content-Length": "9" } }),
        "http.bad_content_length",
      ],
    ];
    for (const [name, result, code] of useless) {
      it(`${name}: 500, and the error`, async () => {
        const state = await run(upgrade(result as UpgradeResult));
        assert.deepEqual(seen(state), [code, 500, 0]);
        assert.equal(state.peer.response?.headers.get("Connection"), "close");
        assert.equal(state.peer.response?.body.includes("Set-Cookie"), false);
        assert.equal((await ended(state)).code, 1006);
      });
    }

    it("names the header that can't be changed", async () => {
      for (const name of ["Connection", "Sec-WebSocket-Protocol", "Content-Length"]) {
        const { error } = await run(upgrade({ headers: { [name.toLowerCase()]: "x" } }));
        assert.match(error!.message, new RegExp(`: the header ${name} was changed$`));
      }
    });

    it("refuses with a Response of serval or fetch", async () => {
      const ours = new Response({
        status: 401,
        body: "who?",
        headers: { "WWW-Authenticate": "Basic", Connection: "keep-alive" },
      });
      const theirs = (): globalThis.Response =>
        new globalThis.Response("who?", {
          status: 401,
          headers: { "WWW-Authenticate": "Basic", Connection: "keep-alive" },
        });
      for (const response of [ours, ours, theirs()]) {
        const state = await run(upgrade(response));
        assert.deepEqual(seen(state), ["websocket.upgrade_declined", 401, 0]);
        assert.equal(state.error?.condition, "handshake_failed");
        const { headers, body, reason } = state.peer.response!;
        assert.deepEqual([headers.getAll("Connection"), headers.get("WWW-Authenticate")], [["close"], "Basic"]);
        assert.deepEqual([body, reason], ["who?", "Unauthorized"]);
        assert.equal((await ended(state)).code, 1006);
      }
      assert.equal(ours.headers.get("Connection"), "keep-alive", "the application's own response was changed");
      const empty = await run(upgrade(new Response({ status: 204 })));
      assert.deepEqual(seen(empty), ["websocket.upgrade_declined", 204, 0]);
    });

    it("whose result throws when inspected, now or later: 500, and the error", async () => {
      const result = {
        get protocol(): string {
          throw new Error("secret");
        },
      };
      for (const upgrade of [() => result, () => Promise.resolve(result)]) {
        const state = await run({ upgrade });
        assert.deepEqual(seen(state), ["websocket.handler_failed", 500, 0]);
        assert.equal((await ended(state)).code, 1006);
      }
    });

    it("is not called for an invalid request", async () => {
      let asked = 0;
      const state = await run({ upgrade: () => wrap(void asked++) as undefined }, { "Sec-WebSocket-Version": "8" });
      assert.deepEqual([seen(state), asked], [["websocket.bad_sec_version", 426, 0], 0]);
    });
  });
}

describe("upgrade: a hook that fails", () => {
  const own = new Error("secret");
  const failures: [name: string, upgrade: () => UpgradeResult | Promise<UpgradeResult>, cause: unknown][] = [
    [
      "throws",
      () => {
        throw own;
      },
      own,
    ],
    ["rejects", () => Promise.reject(own), own],
    ["rejects with nothing", () => Promise.reject(), undefined],
    [
      "rejects later",
      async () => {
        await quiet();
        throw own;
      },
      own,
    ],
    [
      "returns a fetch Response whose body fails",
      () => {
        const body = new ReadableStream({ start: (controller) => controller.error(own) });
        return new globalThis.Response(body, { status: 403 });
      },
      own,
    ],
  ];
  for (const [name, upgrade, cause] of failures) {
    it(`${name}: the peer gets 500 and nothing more, the caller the error`, async () => {
      const state = await run({ upgrade });
      assert.deepEqual(seen(state), ["websocket.handler_failed", 500, 0]);
      assert.equal(state.error?.cause, cause);
      assert.equal(Buffer.from(state.peer.received).toString().includes("secret"), false);
      assert.equal((await ended(state)).code, 1006);
    });
  }
});

describe("decorate", () => {
  it("runs last, once on each response", async () => {
    const statuses: number[] = [];
    const decorate = (response: Response): void => {
      statuses.push(response.status);
      response.headers.set("Server", "mine");
      response.headers.set("X-Hook", `${response.headers.get("X-Hook")}, decorated`);
    };
    const upgrade = (): UpgradeResult => ({ headers: { "X-Hook": "hook" }, protocol: "chat" });
    const accepted = await run({ decorate, upgrade });
    const { headers } = accepted.peer.response!;
    assert.deepEqual(
      [headers.get("Server"), headers.get("X-Hook"), headers.get("Sec-WebSocket-Protocol")],
      ["mine", "hook, decorated", "chat"],
    );
    const refused = await run({ decorate, upgrade }, { Host: undefined });
    assert.deepEqual([refused.peer.response?.status, refused.peer.response?.headers.get("Server")], [400, "mine"]);
    const declined = await run({ decorate, upgrade: () => new Response({ status: 403 }) });
    assert.equal(declined.peer.response?.headers.get("Server"), "mine");
    assert.deepEqual(statuses, [101, 400, 403]);
  });

  const changes: [name: string, decorate: (response: Response) => void, code: string][] = [
    ["drops Upgrade", ({ headers }) => void headers.delete("Upgrade"), "websocket.bad_upgrade_result"],
    ["changes Connection", ({ headers }) => headers.set("Connection", "close"), "websocket.bad_upgrade_result"],
    [
      "changes the accept key",
      ({ headers }) => headers.set("Sec-WebSocket-Accept", "x"),
      "websocket.bad_upgrade_result",
    ],
    [
      "adds a protocol",
      ({ headers }) => headers.append("Sec-WebSocket-Protocol", "chat"),
      "websocket.bad_upgrade_result",
    ],
    [
      "adds an extension",
      ({ headers }) => headers.append("Sec-WebSocket-Extensions", "x"),
      "websocket.bad_upgrade_result",
    ],
    ["changes the status", (response) => Object.assign(response, { status: 403 }), "websocket.bad_upgrade_result"],
    [
      "gives it a body",
      (response) => Object.assign(response, { body: new Uint8Array(1) }),
      "websocket.bad_upgrade_result",
    ],
    ["adds a line break", ({ headers }) => headers.append("A", "b\n"), "http.bad_value"],
    [
      "throws",
      () => {
        throw new Error("secret");
      },
      "websocket.handler_failed",
    ],
    ["is async, and fails", () => Promise.reject(new Error("secret")), "websocket.bad_upgrade_result"],
    ["is async", () => Promise.resolve(), "websocket.bad_upgrade_result"],
  ];
  for (const [name, change, code] of changes) {
    it(`one that ${name} on a 101: 500, and the error`, async () => {
      const decorate = (response: Response): void => (response.status === 101 ? change(response) : undefined);
      const state = await run({ decorate });
      assert.deepEqual(seen(state), [code, 500, 0]);
      assert.equal(state.peer.response?.headers.get("Connection"), "close");
      assert.equal((await ended(state)).code, 1006);
    });
  }

  it("one that throws or rejects on a refusal changes nothing of it", async () => {
    const throws = (): void => {
      throw new Error("secret");
    };
    const rejects = (): Promise<void> => Promise.reject(new Error("secret"));
    for (const decorate of [throws, rejects as () => void]) {
      const state = await run({ decorate }, { Host: undefined });
      assert.deepEqual(seen(state), ["websocket.no_host", 400, 0]);
      assert.equal((await ended(state)).code, 1006);
    }
  });

  it("one that makes every response invalid: a 500 is sent without its headers, and the error is reported once", async () => {
    for (const [name, value, code] of [
      ["Transfer-Encoding", "gzip", "http.bad_transfer_encoding"],
      ["Content-Length", "3", "http.bad_content_length"],
    ] as const) {
      const decorate = ({ headers }: Response): void => headers.set(name, value);
      const state = await run({ decorate }, { Host: undefined });
      assert.deepEqual(seen(state), [code, 500, 0]);
      const { headers } = state.peer.response!;
      assert.deepEqual([headers.get("Transfer-Encoding"), headers.get("Content-Length")], [undefined, "40"]);
      assert.equal((await ended(state)).code, 1006);
    }
  });

  it("adds headers to a refusal, and can make nothing else of it", async () => {
    const decorate = (response: Response): void => {
      response.headers.set("Server", "mine");
      Object.assign(response, { status: 200, reason: "All Is Well", body: Buffer.from("welcome") });
    };
    const secret = (): never => {
      throw new Error("secret");
    };
    for (const [options, changes, status] of [
      // The change of the 101 is the error; the 500 that tells of it is decorated too.
      [{ decorate }, {}, 500],
      [{ decorate, upgrade: secret }, {}, 500],
      [{ decorate, upgrade: (): Response => new Response({ status: 403, body: "no" }) }, {}, 403],
      [{ decorate }, { Host: undefined }, 400],
    ] as const) {
      const { response } = (await run(options, changes)).peer;
      assert.deepEqual([response?.status, response?.headers.get("Server")], [status, "mine"]);
      assert.doesNotMatch(`${response?.reason} ${Buffer.from(response!.body)}`, /well|welcome/i);
    }
  });

  it("leaves a refusal without its headers if it replaces these by something else", async () => {
    const decorate = (response: Response): void => void Object.assign(response, { headers: 5 });
    const { response } = (await run({ decorate }, { Host: undefined })).peer;
    assert.deepEqual([response?.status, response?.headers.get("Connection")], [400, "close"]);
  });

  it("one that lets a refused connection stay is overruled", async () => {
    const decorate = ({ headers }: Response): void => headers.set("Connection", "keep-alive");
    const state = await run({ decorate }, { Host: undefined });
    assert.equal(state.peer.response?.headers.get("Connection"), "close");
  });
});
