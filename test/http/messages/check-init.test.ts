import assert from "node:assert/strict";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { describe, it } from "node:test";
import { Request, Response } from "../../../src/http/index.ts";

const requestOf = (init: unknown): Request => new Request(init as object);
const responseOf = (init: unknown): Response => new Response(init as object);

describe("the parts of a message", () => {
  const hints: [make: (init: unknown) => unknown, name: string, message: string][] = [
    [responseOf, "statusCode", 'http.Response has no option "statusCode": did you mean status?'],
    [responseOf, "code", 'http.Response has no option "code": did you mean status?'],
    [responseOf, "statusText", 'http.Response has no option "statusText": did you mean reason?'],
    [responseOf, "statusMessage", 'http.Response has no option "statusMessage": did you mean reason?'],
    [responseOf, "data", 'http.Response has no option "data": did you mean body?'],
    [responseOf, "fields", 'http.Response has no option "fields": did you mean headers?'],
    [responseOf, "header", 'http.Response has no option "header": did you mean headers?'],
    [responseOf, "target", 'http.Response has no option "target": there are status, reason, version, headers, body'],
    [requestOf, "path", 'http.Request has no option "path": did you mean target?'],
    [requestOf, "url", 'http.Request has no option "url": did you mean target?'],
    [requestOf, "httpVersion", 'http.Request has no option "httpVersion": did you mean version?'],
    [requestOf, "fields", 'http.Request has no option "fields": did you mean headers?'],
    [requestOf, "status", 'http.Request has no option "status": there are method, target, version, headers, body'],
    [requestOf, "x\ny", 'http.Request has no option "x\\ny": there are method, target, version, headers, body'],
  ];
  for (const [make, name, message] of hints) {
    it(`have known names: ${message}`, () => {
      for (const init of [{ [name]: "x" }, { headers: {}, [name]: undefined }])
        assert.throws(() => make(init), { code: "core.invalid_argument", message });
    });
  }

  it("are not a body alone, and need a record", () => {
    for (const [init, but] of [
      ["text", '"text"'],
      [null, "null"],
      [5, "5"],
      [() => {}, "a function"],
      [Promise.resolve({}), "a Promise"],
      [new Uint8Array(0), "a Uint8Array"],
      [Uint8Array.of(1), "a Uint8Array"],
      [[], "a list"],
      [["text"], "a list"],
    ] as const) {
      for (const [make, such] of [
        [requestOf, 'http.Request takes a plain object, such as { target: "/chat", headers: { Host: "example.com" } }'],
        [responseOf, 'http.Response takes a plain object, such as { status: 404, body: "text" }'],
      ] as const) {
        assert.throws(() => make(init), { code: "core.invalid_argument", message: `${such}, not ${but}` });
      }
    }
  });

  it("are not a message of fetch or Node, which from converts", () => {
    for (const message of [new globalThis.Response(), new IncomingMessage(new Socket())]) {
      assert.throws(() => responseOf(message), {
        code: "core.invalid_argument",
        message: /^http\.Response\.from makes/,
      });
    }
    assert.throws(() => requestOf(new globalThis.Request("http://a/")), {
      code: "core.invalid_argument",
      message: "http.Request.from makes one of fetch's or Node's",
    });
  });

  it("may be a message of the same kind, its parts, or a record without a prototype", () => {
    const response = new Response({ status: 404, reason: "No", headers: { A: "b" }, body: "text" });
    const request = new Request({ method: "PUT", target: "/a", version: 10 });
    for (const init of [response, { ...response }]) assert.deepEqual({ ...responseOf(init) }, { ...response });
    for (const init of [request, { ...request }]) assert.deepEqual({ ...requestOf(init) }, { ...request });
    assert.equal(responseOf(Object.assign(Object.create(null), { status: 204 })).status, 204);
    assert.equal(responseOf(Object.create(null)).status, 200);
  });

  it("do not include inherited names, even if Object.prototype was changed", () => {
    const everything = Object.prototype as { polluted?: boolean };
    everything.polluted = true;
    try {
      assert.deepEqual(
        [responseOf({ status: 404 }).status, responseOf({}).status, new Response().status],
        [404, 200, 200],
      );
    } finally {
      delete everything.polluted;
    }
  });
});

it("a message takes no second argument, which the standard classes have", () => {
  for (const [make, name] of [
    [Request, "http.Request"],
    [Response, "http.Response"],
  ] as const) {
    const create = make as new (...given: unknown[]) => unknown;
    for (const given of [
      ["hi", { status: 201 }],
      [{}, { status: 201 }],
      ["/", {}],
    ]) {
      assert.throws(() => new create(...given), {
        code: "core.invalid_argument",
        message: new RegExp(`^${name.replace(".", "\\.")} takes one plain object, such as .*second argument$`),
      });
    }
  }
});
