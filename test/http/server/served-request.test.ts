// A served request and the platform's own, made of the same message, side by side: whatever is done to them gives the same.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import { Request as Message, type Body, type BodyStream, type RequestInit } from "../../../src/http/index.ts";
import { abortRequest } from "../../../src/http/server/direct-request.ts";
import type { FollowedExchange } from "../../../src/http/server/followed-exchange.ts";
import { httpError } from "../../../src/http/messages/errors.ts";
import { servedRequest } from "../../../src/http/server/served-request.ts";
import { quiet } from "../../support/quiet.ts";

type Usual = Request & { bytes?: () => Promise<Uint8Array> };

/** A body in these parts. */
const parts = (...texts: string[]): BodyStream => ({
  async *[Symbol.asyncIterator]() {
    for (const text of texts) yield new TextEncoder().encode(text);
  },
});

const get = (): RequestInit => ({
  target: "/a/../b?c=%20#d",
  headers: { Host: "h:80", Accept: ["x", "y"], Cookie: "z", "X-A": "é" },
});
const put = (body: string | Body): RequestInit => ({
  method: "PUT",
  headers: { Host: "h", "Content-Type": "application/json" },
  body,
});
const form = "--q\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n--q--\r\n";
const samples: [name: string, init: () => RequestInit<Body>][] = [
  ["GET", get],
  ["HEAD", () => ({ ...get(), method: "HEAD" })],
  ["a method of its own", () => ({ ...get(), method: "patch" })],
  ["JSON in parts", () => put(parts('{"a":', '"é"}'))],
  ["JSON as bytes", () => put('{"a":1}')],
  ["no JSON", () => put(parts("{"))],
  ["a byte order mark", () => put(parts("\u{feff}[1]"))],
  ["what is no UTF-8", () => put(Uint8Array.of(0x22, 0xff, 0x22))],
  ["no body", () => put("")],
  ["a form", () => ({ ...put(form), headers: { Host: "h", "Content-Type": "multipart/form-data; boundary=q" } })],
  [
    "a body that fails",
    () =>
      put({
        // oxlint-disable-next-line require-yield
        async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
          throw new RangeError("mine");
        },
      }),
  ],
];

/** What came of something: a value in a form that can be compared, or the kind and words of what was thrown. */
async function outcome(act: () => unknown): Promise<unknown> {
  try {
    // Of a clone alone a cancel waits for the other, for one.
    const given = act();
    const value = given instanceof Promise ? await Promise.race([given, quiet(10).then(() => "pending")]) : given;
    if (value instanceof Headers) return [...value];
    if (value instanceof FormData) return [...value].map(([name, entry]) => [name, entry]);
    if (value instanceof Blob) return [value.type, await value.text()];
    if (value instanceof AbortSignal) return ["signal", value.aborted];
    if (value instanceof ReadableStream) return ["stream", value.locked];
    if (value instanceof Request) return summary(value);
    return value;
  } catch (error) {
    return [(error as Error).name, (error as Error).message];
  }
}

const attributes = (
  "method url destination referrer referrerPolicy mode credentials cache redirect integrity keepalive " +
  "isReloadNavigation isHistoryNavigation duplex bodyUsed signal body"
).split(" ") as (keyof Request)[];

async function summary(request: Request): Promise<unknown[]> {
  const values: unknown[] = [[...request.headers]];
  for (const name of attributes) values.push([name, await outcome(() => request[name])]);
  return values;
}

/** What is done the second time. */
const afterwards = new Set(["text", "json", "bytes", "clone", "new Request", "body", "a borrowed method"]);

const text = new TextDecoder();
const methods: [name: string, act: (request: Usual) => unknown][] = [
  ["text", (request) => request.text()],
  ["json", (request) => request.json()],
  ["arrayBuffer", async (request) => text.decode(await request.arrayBuffer())],
  ["bytes", async (request) => text.decode(await request.bytes?.())],
  ["blob", (request) => request.blob()],
  ["formData", (request) => request.formData()],
  ["clone", (request) => request.clone()],
  ["the text of a clone", (request) => request.clone().text()],
  ["new Request", (request) => new Request(request)],
  ["the text of a new Request", (request) => new Request(request).text()],
  ["another method", (request) => new Request(request, { method: "OPTIONS", body: null })],
  ["body", (request) => request.body],
  ["locked", (request) => request.body?.getReader() && undefined],
  ["cancel", (request) => request.body?.cancel()],
  ["changed headers", (request) => (request.headers.set("x-b", "1"), request.headers.delete("accept"))],
  ["appended headers", (request) => (request.headers.append("set-cookie", "a"), request.headers.append("x-a", "b"))],
  ["a bad header", (request) => request.headers.set("x", "\n")],
  ["assigning", (request) => Object.assign(request, { method: "X" })],
  ["inspect", (request) => inspect(request).split("\n").length],
  ["names", (request) => [Object.keys(request), allNames(request)]],
  ["a tag", (request) => Object.prototype.toString.call(request)],
  ["constructor", (request) => request.constructor === Request],
  ["instanceof", (request) => request instanceof Request],
  ["a borrowed method", (request) => Request.prototype.text.call(request)],
  ["summary", summary],
];

function allNames(request: Request): string[] {
  const names: string[] = [];
  for (const name in request) names.push(name);
  return names.toSorted();
}

describe("a served request is as the platform's own", () => {
  const both = (init: () => RequestInit<Body>): [Usual, Usual] => [
    servedRequest(new Message<Body>(init())),
    new Message<Body>(init()).toFetch(),
  ];

  for (const [name, init] of samples) {
    it(`made of ${name}: what is done once, and then again, and what is seen afterwards`, async () => {
      for (const [first, act] of methods) {
        for (const [second, again] of methods.filter(([other]) => afterwards.has(other))) {
          const [served, usual] = both(init);
          for (const [what, step] of [
            [first, act],
            [second, again],
            ["summary", summary],
          ] as const) {
            assert.deepEqual(
              await outcome(() => step(served)),
              await outcome(() => step(usual)),
              `${what} of ${first}, ${second}`,
            );
          }
        }
      }
    });
  }

  it("has one object of each kind", () => {
    for (const request of both(() => put("x"))) {
      assert.equal(request.headers, request.headers);
      assert.equal(request.signal, request.signal);
      assert.equal(request.body, request.body);
      const { headers } = request;
      request.clone();
      assert.equal(request.headers, headers);
    }
  });

  it("refuses what can't be one of fetch's", () => {
    for (const init of [
      { headers: {} },
      { ...get(), target: "*" },
      { ...get(), method: "TRACE" },
      { ...put("x"), method: "get" },
    ]) {
      const code = (make: () => unknown): unknown => {
        try {
          return make();
        } catch (error) {
          return (error as { code: string }).code;
        }
      };
      const refused = code(() => new Message<Body>(init).toFetch());
      assert.equal(typeof refused, "string");
      assert.equal(
        code(() => servedRequest(new Message<Body>(init))),
        refused,
      );
    }
  });
});

describe("a served request", () => {
  it("is no real one where that can be helped: where the state of a real one is not private", () => {
    const usual = new Message<Body>(get()).toFetch();
    const served = servedRequest(new Message<Body>(get()));
    const symbols = Object.getOwnPropertySymbols(usual);
    assert.deepEqual(Object.getOwnPropertySymbols(served), []);
    for (const symbol of symbols) assert.ok(symbol in served);
  });

  it("has no body with GET and HEAD, whatever came", async () => {
    for (const method of ["GET", "HEAD"]) {
      const request = servedRequest(new Message<Body>({ ...put("x"), method }));
      assert.deepEqual([request.body, await request.text()], [null, ""]);
    }
  });

  it("has the signal of its exchange, and so has what is made of it", async () => {
    const controller = new AbortController();
    const exchange: FollowedExchange = { signal: controller.signal };
    const request = servedRequest(new Message<Body>(put("x")), exchange);
    const copies = [request.clone(), request.clone().clone(), new Request(request)];
    const { signal } = request;
    assert.equal(signal.aborted, false);
    const mine = httpError("http.end_of_stream");
    controller.abort(mine);
    if (exchange.follower !== undefined) abortRequest(exchange.follower, mine);
    for (const each of [request, ...copies]) assert.equal(each.signal.reason, mine);
  });

  it("gives bytes that are the caller's own", async () => {
    const body = Uint8Array.of(1, 2, 3);
    const request = servedRequest(new Message<Body>(put(body)));
    const buffer = await request.arrayBuffer();
    assert.equal(buffer.byteLength, 3);
    new Uint8Array(buffer).fill(9);
    assert.deepEqual([...body], [1, 2, 3]);
  });
});
