import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  Request,
  Response,
  type Body,
  type BodyStream,
  type RequestInit,
  type ResponseInit,
} from "../../../src/http/index.ts";
import { urlOf } from "../../../src/http/messages/fetch.ts";
import { fc, runs } from "../../support/property.ts";

const FetchRequest = globalThis.Request;
const FetchResponse = globalThis.Response;
const isStream = (body: Body): boolean => !(body instanceof Uint8Array);

/** A body in these parts. */
const parts = (...texts: string[]): BodyStream => ({
  async *[Symbol.asyncIterator]() {
    for (const text of texts) yield new TextEncoder().encode(text);
  },
});

describe("Request.from, of fetch", () => {
  it("takes method, target and headers, with Host from the URL, and the body", async () => {
    const request = Request.from(
      new FetchRequest("http://a:8080/b%20c?d=e#f", { method: "PUT", headers: { "X-A": "1" }, body: "hé" }),
    );
    assert.deepEqual([request.method, request.target, request.version], ["PUT", "/b%20c?d=e", 11]);
    assert.deepEqual([...request.headers].slice(0, 1), [["Host", "a:8080"]]);
    assert.equal(request.headers.get("x-a"), "1");
    assert.equal(request.headers.get("content-type"), "text/plain;charset=UTF-8");
    assert.ok(isStream(request.body));
    assert.equal(await request.text(), "hé");
  });

  it("leaves out the received framing, and another Host", () => {
    const headers = [
      ["host", "evil"],
      ["Content-Length", "9"],
      ["transfer-encoding", "chunked"],
      ["a", "b"],
    ] as const;
    const request = Request.from({ method: "POST", url: "https://h/", headers, body: parts("c") });
    assert.deepEqual([...request.headers].flat(), ["Host", "h", "a", "b"]);
  });

  it("has an empty body if there is none", () => {
    for (const request of [new FetchRequest("http://a"), { method: "GET", url: "http://a/", headers: [] }]) {
      const { target, body } = Request.from(request);
      assert.deepEqual([target, (body as Uint8Array).length], ["/", 0]);
    }
  });
});

describe("Request.toFetch", () => {
  const headers = { Host: "a:8080" };
  const to = (init: RequestInit, scheme?: "http" | "https"): globalThis.Request =>
    new Request({ headers, ...init }).toFetch(scheme);

  it("makes the URL from scheme, Host and target", () => {
    for (const [target, url] of [
      ["/", "http://a:8080/"],
      ["/b?c=%20", "http://a:8080/b?c=%20"],
      ["//evil/b", "http://a:8080//evil/b"],
      ["/\\evil", "http://a:8080//evil"],
      ["/@evil", "http://a:8080/@evil"],
      ["http://other/b", "http://other/b"],
      ["https://other/b", "https://other/b"],
    ] as const) {
      assert.equal(to({ target }).url, url);
    }
    assert.equal(to({ target: "/b" }, "https").url, "https://a:8080/b");
    assert.equal(to({ headers: {}, version: 10 }).url, "http://localhost/");
    // RFC 9112 3.2.4: it asks about the server as a whole.
    assert.equal(to({ method: "OPTIONS", target: "*" }).url, "http://a:8080/*");
  });

  it("takes method, headers and body", async () => {
    const request = to({ method: "POST", headers: { Host: "a", "X-A": ["1", "2"] }, body: "hé" });
    assert.deepEqual([request.method, request.headers.get("x-a"), await request.text()], ["POST", "1, 2", "hé"]);
    assert.equal(await to({ method: "PUT", body: parts("a", "b") }).text(), "ab");
    const { body } = new FetchResponse("streamed");
    assert.equal(await to({ method: "PUT", body: body! }).text(), "streamed");
    assert.equal(to({ method: "POST" }).body, null);
  });

  it("is unchanged after both conversions", async () => {
    const there = new Request({ method: "PUT", target: "/b?c", headers: { Host: "a", "x-y": "z" }, body: "d" });
    const back = Request.from(there.toFetch());
    assert.deepEqual([back.method, back.target, await back.text()], ["PUT", "/b?c", "d"]);
    assert.deepEqual([back.headers.get("host"), back.headers.get("x-y")], ["a", "z"]);
  });

  it("refuses a Host and a target that make no URL", () => {
    for (const init of [
      { headers: {} },
      { headers: { Host: ["a", "a"] } },
      ...["", "a b", "a/b", "a@b", "a:99999", "[", "a:80:80"].map((Host) => ({ headers: { Host } })),
    ]) {
      assert.throws(() => to(init), { code: "http.bad_host" }, JSON.stringify(init));
    }
    for (const target of [
      "*",
      "",
      "b",
      "?c",
      "a:80",
      "ftp://a/",
      "data:,a",
      "http://",
      "http:/a",
      "http:a",
      "http:///a",
      "http://a\\b/c",
      "http://u:p@a/",
      "http://u@a/",
    ]) {
      assert.throws(() => to({ target }), { code: "http.bad_target" }, target);
    }
  });

  it("refuses what fetch does not allow", () => {
    for (const init of [
      { method: "CONNECT" },
      { method: "trace" },
      { method: "TRACK" },
      { method: "GET", body: "a" },
      { method: "HEAD", body: "a" },
      // RFC 9110 9.1: case counts. fetch would take these for GET and its like.
      ...["get", "Get", "head", "post", "Put", "delete", "options"].map((method) => ({ method })),
      { method: "get", body: "a" },
      { body: parts() },
    ]) {
      assert.throws(() => to(init), { code: "core.invalid_argument" }, init.method);
    }
  });
});

describe("Response.from, of fetch", () => {
  it("takes status, reason, headers with several Set-Cookie, and the body", async () => {
    const headers = new Headers({ "X-A": "1", "Content-Length": "2", "Transfer-Encoding": "chunked" });
    headers.append("Set-Cookie", "a=1");
    headers.append("Set-Cookie", "b=2");
    const response = Response.from(new FetchResponse("no", { status: 403, statusText: "Nope", headers }));
    assert.deepEqual([response.status, response.reason], [403, "Nope"]);
    assert.deepEqual(response.headers.getAll("Set-Cookie"), ["a=1", "b=2"]);
    assert.equal(response.headers.get("X-A"), "1");
    assert.equal(response.headers.get("Content-Type"), "text/plain;charset=UTF-8");
    assert.deepEqual([response.headers.get("Content-Length"), response.headers.has("Transfer-Encoding")], ["2", false]);
    assert.equal(await response.text(), "no");
  });

  it("leaves out a Content-Length that can't be the body's: of content that fetch has decoded, with a bodiless status", () => {
    const lengthOf = (init: { status?: number; url?: string; headers?: [string, string][] }): string | undefined =>
      Response.from({
        status: 200,
        statusText: "",
        body: null,
        ...init,
        headers: [["Content-Length", "9"], ...(init.headers ?? [])],
      }).headers.get("Content-Length");
    const gzip: [string, string][] = [["Content-Encoding", "gzip"]];
    assert.deepEqual(
      [
        lengthOf({}),
        lengthOf({ url: "http://h/" }),
        lengthOf({ headers: gzip }),
        lengthOf({ status: 304 }),
        lengthOf({ url: "http://h/", headers: gzip }),
        lengthOf({ status: 204 }),
      ],
      ["9", "9", "9", "9", undefined, undefined],
    );
  });

  it("finds the reason if fetch has none, and has an empty body if there is none", () => {
    const response = Response.from(new FetchResponse(null, { status: 404 }));
    assert.equal(response.reason, "Not Found");
    assert.ok(!isStream(response.body));
    assert.ok(!isStream(Response.from(new FetchResponse(null, { status: 204 })).body));
  });

  it("refuses an invalid response, and fails if the body was already read", async () => {
    assert.throws(() => Response.from(FetchResponse.error()), { code: "http.bad_status" });
    const used = new FetchResponse("a");
    await used.text();
    await assert.rejects(Response.from(used).text(), TypeError);
  });
});

describe("Response.toFetch", () => {
  const to = (init: ResponseInit<Body>): globalThis.Response => new Response<Body>(init).toFetch();

  it("takes status, reason, headers and body", async () => {
    const response = to({
      status: 403,
      reason: "Nope",
      headers: { "Set-Cookie": ["a", "b"] },
      body: Uint8Array.of(0x61),
    });
    assert.deepEqual([response.status, response.statusText, await response.text()], [403, "Nope", "a"]);
    assert.deepEqual(response.headers.getSetCookie(), ["a", "b"]);
    assert.equal(await to({ body: parts("a", "b") }).text(), "ab");
    const { body } = new FetchResponse("streamed");
    assert.equal(await to({ body: body! }).text(), "streamed");
  });

  it("has no body if fetch allows none", () => {
    for (const status of [204, 205, 304]) assert.equal(to({ status }).body, null);
  });

  it("refuses statuses that fetch does not allow", () => {
    for (const status of [100, 101, 199, 600, 999]) {
      assert.throws(() => to({ status }), { code: "core.invalid_argument" }, `${status}`);
    }
    assert.deepEqual([to({ status: 200 }).status, to({ status: 599 }).status], [200, 599]);
  });
});

describe("the URL of a request", () => {
  const hosts = [
    "h",
    "H.example",
    "h:80",
    "h:81",
    "127.0.0.1:8080",
    "127.1",
    "[::1]:80",
    "a%2db",
    "xn--nxasmq6b",
    "h.",
    "$",
  ];
  const bits = [
    ..."/..?%&=:@;+,~!$()*-_#'\"<>[]{}|^`\\",
    "a",
    "B",
    "%2e",
    "%2E",
    "%2f",
    "%zz",
    "/./",
    "/../",
    "//",
    "/.a",
  ];

  /** What the platform makes of them; undefined if that is refused. */
  const parsed = (host: string, target: string): string | undefined => {
    try {
      return new URL(`http://${host}${target}`).href;
    } catch {
      return undefined;
    }
  };

  it("is as the platform parses it, however little of it is parsed", () => {
    const target = fc.array(fc.constantFrom(...bits), { maxLength: 12 }).map((parts) => `/${parts.join("")}`);
    fc.assert(
      fc.property(fc.constantFrom(...hosts), target, (host, given) => {
        let made: string | undefined;
        try {
          made = urlOf(new Request({ target: given, headers: { Host: host } }), "http");
        } catch (error) {
          assert.equal((error as { code: string }).code, "http.bad_host");
        }
        assert.equal(made, parsed(host, given));
      }),
      { numRuns: runs(4000) },
    );
  });

  it("is that of its own host and scheme after another request's", () => {
    for (const [host, scheme] of [
      ["a", "http"],
      ["b", "http"],
      ["b", "https"],
      ["a", "http"],
    ] as const) {
      assert.equal(urlOf(new Request({ target: "/x", headers: { Host: host } }), scheme), `${scheme}://${host}/x`);
    }
  });
});
