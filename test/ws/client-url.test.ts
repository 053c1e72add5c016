import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parsedUrl, placeOf, whyInvalid } from "../../src/ws/client-url.ts";

describe("parsedUrl", () => {
  it("takes http: as ws: and https: as wss:, and leaves a URL that it is given as it is", () => {
    assert.equal(parsedUrl("http://host:81/a?b").href, "ws://host:81/a?b");
    assert.equal(parsedUrl("https://host").href, "wss://host/");
    const url = new URL("http://host/");
    assert.equal(parsedUrl(url).href, "ws://host/");
    assert.equal(url.protocol, "http:");
  });

  it("refuses what is no URL", () => {
    assert.throws(() => parsedUrl("foo"), new SyntaxError("Invalid URL: foo"));
  });
});

describe("whyInvalid", () => {
  it("says what a WebSocket can't have", () => {
    assert.match(whyInvalid(new URL("ftp://host"))!, /^The URL's protocol must be one of "ws:", "wss:",/);
    assert.equal(whyInvalid(new URL("ws+unix:")), "The URL's pathname is empty");
    assert.equal(whyInvalid(new URL("ws://host/#here")), "The URL contains a fragment identifier");
    assert.equal(whyInvalid(new URL("wss://host/path?query")), undefined);
  });
});

describe("placeOf", () => {
  it("has host, port and path", () => {
    const { isSecure, isLocal, host, port, path, origin, socketPath } = placeOf(new URL("ws://[::1]:81/a?b=c"));
    assert.deepEqual(
      { isSecure, isLocal, host, port, path, origin, socketPath },
      {
        isSecure: false,
        isLocal: false,
        host: "::1",
        port: "81",
        path: "/a?b=c",
        origin: "[::1]:81",
        socketPath: undefined,
      },
    );
    assert.equal(placeOf(new URL("wss://host")).port, 443);
  });

  it("has a socket's path, and after the colon that of the request", () => {
    for (const [url, socketPath, path] of [
      ["ws+unix:/tmp/a.sock", "/tmp/a.sock", ""],
      ["ws+unix:/tmp/a.sock:/path:1?b=c", "/tmp/a.sock", "/path:1?b=c"],
    ] as const) {
      const place = placeOf(new URL(url));
      assert.deepEqual(
        [place.socketPath, place.path, place.origin, place.isLocal],
        [socketPath, path, socketPath, true],
      );
    }
  });
});
