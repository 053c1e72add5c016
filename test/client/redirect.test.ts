import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServalError } from "../../src/core/index.ts";
import { redirected, type Destination } from "../../src/client/redirect.ts";
import { parseUrl, placeOf, withHost } from "../../src/client/url.ts";
import { Fields, Response } from "../../src/http/index.ts";

const tls = {
  ca: "authority",
  cert: "ours",
  key: "secret",
  pfx: "ours",
  passphrase: "secret",
  servername: "other.example",
  rejectUnauthorized: false,
};

function from(url: string): Destination {
  const headers = new Fields([
    ["Authorization", "Bearer secret"],
    ["authorization", "Bearer again"],
    ["COOKIE", "session=secret"],
    ["Origin", "https://example.com"],
    ["X-Api-Key", "secret"],
    ["user-agent", "me"],
  ]);
  return { endpoint: parseUrl(url), headers, protocols: ["chat", "ticket.secret"], tls, isElsewhere: false };
}

function redirect(
  url: string | Destination,
  location: string | undefined,
  status = 302,
  crossOrigin = true,
): Destination | undefined {
  const response = new Response({ status, headers: location === undefined ? [] : { Location: location } });
  return redirected(typeof url === "string" ? from(url) : url, response, crossOrigin);
}

/** Where a redirect leads, in words. */
function goal(url: string, location: string): string | undefined {
  const endpoint = redirect(url, location)?.endpoint;
  return endpoint && `${endpoint.isSecure ? "wss" : "ws"} ${placeOf(endpoint)} ${endpoint.target}`;
}

describe("redirected", () => {
  it("recognises the statuses that redirect, and needs a Location", () => {
    for (const status of [301, 302, 303, 307, 308]) {
      assert.equal(redirect("ws://example.com", "/chat", status)?.endpoint.target, "/chat");
      assert.equal(redirect("ws://example.com", undefined, status), undefined);
    }
    for (const status of [101, 200, 300, 304, 305, 401, 404, 503]) {
      assert.equal(redirect("ws://example.com", "/chat", status), undefined);
    }
  });

  const goals: readonly [url: string, location: string, goal: string][] = [
    ["ws://example.com/a/b?c", "/d", "ws example.com:80 /d"],
    ["ws://example.com/a/b?c", "d?e", "ws example.com:80 /a/d?e"],
    ["ws://example.com/a/b?c", "?e", "ws example.com:80 /a/b?e"],
    ["ws://example.com/a/b?c", "//other.example/d", "ws other.example:80 /d"],
    ["wss://example.com/a/b?c", "//other.example/d", "wss other.example:443 /d"],
    ["wss://[::1]:8443/a", "/d", "wss [::1]:8443 /d"],
    ["ws://example.com", "wss://example.com/d", "wss example.com:443 /d"],
    ["ws://example.com", "https://example.com/d", "wss example.com:443 /d"],
    ["ws://example.com", "http://other.example:81/d", "ws other.example:81 /d"],
    ["ws://example.com", "/d#part", "ws example.com:80 /d"],
    ["ws://example.com", "", "ws example.com:80 /"],
    ["ws://example.com/a", "/b\xc3\xbcch er?q=\xc3\xa9", "ws example.com:80 /b%C3%BCch%20er?q=%C3%A9"],
    ["ws://example.com/a", "/b\xfccher", "ws example.com:80 /b%FCcher"],
    ["ws://example.com/a", "/b%C3%BCcher", "ws example.com:80 /b%C3%BCcher"],
    ["ws://example.com/a", "//b\xc3\xbccher.example/", "ws xn--bcher-kva.example:80 /"],
    ["wss+unix:/run/app.sock:/a/b", "/d", "wss /run/app.sock /d"],
    ["wss+unix:/run/app.sock:/a/b", "https://localhost/d", "wss /run/app.sock /d"],
    ["ws+unix:/run/app.sock:/a/b", "/d", "ws /run/app.sock /d"],
    ["ws+unix:/run/app.sock:/a/b", "d", "ws /run/app.sock /a/d"],
    ["ws+unix:/run/app.sock:/a/b", "ws://localhost/d", "ws /run/app.sock /d"],
    ["ws+unix:/run/app.sock", "ws://localhost:8080/d", "ws localhost:8080 /d"],
    ["ws+unix:/run/app.sock", "wss://localhost/d", "wss localhost:443 /d"],
    ["ws+unix:/run/app.sock", "ws://example.com/d", "ws example.com:80 /d"],
  ];
  for (const [url, location, expected] of goals) {
    it(`leads from ${url} by ${JSON.stringify(location)} to ${expected}`, () => {
      assert.equal(goal(url, location), expected);
    });
  }

  const nowhere = [
    "http://",
    "ftp://example.com/",
    "javascript:1",
    "ws+unix:/run/app.sock:/",
    "wss+unix:/run/app.sock:/",
    "http://b\xfccher.example/",
    "ws://u%zz@example.com/",
  ];
  for (const location of nowhere) {
    it(`refuses to follow ${location}`, () => {
      assert.throws(
        () => redirect("ws://example.com/secret", location),
        (error) => {
          assert.ok(error instanceof ServalError);
          assert.deepEqual([error.code, error.condition], ["client.bad_redirect", "handshake_failed"]);
          assert.match(error.message, /^example\.com:80 redirects/);
          assert.doesNotMatch(error.message, /secret/);
          assert.equal(error.response?.status, 302);
          return true;
        },
      );
    });
  }

  it("never goes from TLS to plain", () => {
    for (const location of ["ws://example.com/secret", "http://example.com/", "ws://user:secret@other.example/"]) {
      assert.throws(
        () => redirect("wss://example.com/", location),
        (error) => {
          assert.ok(error instanceof ServalError);
          assert.deepEqual([error.code, error.condition], ["client.insecure_redirect", "handshake_failed"]);
          assert.match(error.message, /^example\.com:443 redirects from wss: to ws:, to (example|other)/);
          assert.doesNotMatch(error.message, /secret/);
          assert.equal(error.response?.status, 302);
          return true;
        },
      );
    }
  });

  it("keeps secrets within the origin, to which the same host with TLS belongs, both at their default ports", () => {
    const url = "wss://ada:opensesame@example.com/";
    for (const [start, location] of [
      [url, "/d"],
      [url, "wss://example.com/d"],
      [url, "https://EXAMPLE.com:443/d"],
      ["ws://ada:opensesame@example.com/", "wss://example.com/d"],
      ["ws://ada:opensesame@example.com:80/", "https://example.com:443/d"],
    ] as const) {
      for (const crossOrigin of [true, false]) {
        const next = redirect(start, location, 302, crossOrigin)!;
        assert.deepEqual([...next.headers], [...from(url).headers]);
        assert.deepEqual(next.protocols, ["chat", "ticket.secret"]);
        assert.deepEqual(next.endpoint.credentials, { user: "ada", password: "opensesame" });
        assert.deepEqual(next.tls, tls);
        assert.equal(next.isElsewhere, false);
      }
    }
    const { endpoint } = redirect(url, "https://bob:pw@example.com/d")!;
    assert.deepEqual(endpoint.credentials, { user: "bob", password: "pw" });
  });

  const elsewhere: readonly [url: string, location: string][] = [
    ["wss://ada:opensesame@example.com/", "wss://www.example.com/"],
    ["wss://ada:opensesame@example.com/", "wss://example.com:444/"],
    ["wss://ada:opensesame@example.com/", "wss://example.com./"],
    ["wss://ada:opensesame@example.com/", "wss://eve:secret@other.example/"],
    ["ws://ada:opensesame@example.com/", "wss://example.com:444/"],
    ["ws://ada:opensesame@example.com:8080/", "wss://example.com/"],
    ["ws://ada:opensesame@example.com/", "wss://www.example.com/"],
    ["ws+unix:/run/app.sock", "ws://localhost:81/"],
    ["ws+unix:/run/app.sock", "wss://localhost/"],
  ];

  it("takes no secrets to another origin: neither headers nor subprotocols, user, password and certificate", () => {
    for (const [url, location] of elsewhere) {
      const next = redirect(url, location)!;
      assert.deepEqual(
        [...next.headers],
        [
          ["Origin", "https://example.com"],
          ["user-agent", "me"],
        ],
      );
      assert.deepEqual(next.protocols, []);
      assert.equal(next.endpoint.credentials, undefined);
      assert.deepEqual(next.tls, { ca: "authority", rejectUnauthorized: false });
      assert.ok(next.isElsewhere);
    }
  });

  it("asks the same Host at the same address, and takes another Host there for another origin", () => {
    const start = {
      ...from("ws://10.0.0.1:8080/"),
      endpoint: withHost(parseUrl("ws://10.0.0.1:8080/"), "app.example"),
    };
    for (const location of ["/there", "ws://app.example/there", "http://APP.example:80/there"]) {
      const next = redirect(start, location, 302, false)!;
      assert.deepEqual([placeOf(next.endpoint), next.endpoint.authority], ["10.0.0.1:8080", "app.example"]);
      assert.deepEqual(next.protocols, ["chat", "ticket.secret"]);
    }
    for (const location of [
      "ws://10.0.0.1:8080/",
      "wss://app.example/",
      "ws://app.example:8080/",
      "ws://other.example/",
    ]) {
      assert.throws(() => redirect(start, location, 302, false), { code: "client.cross_origin_redirect" });
    }
  });

  it("gives them back to no later server, not even to the first", () => {
    const there = redirect("wss://ada:opensesame@example.com/", "wss://other.example/")!;
    for (const location of ["wss://example.com/", "/d", "wss://eve:secret@other.example/"]) {
      const next = redirect(there, location)!;
      assert.deepEqual([next.protocols, next.endpoint.credentials, next.isElsewhere], [[], undefined, true]);
      assert.equal(next.headers.has("Authorization") || next.headers.has("Cookie"), false);
    }
  });

  it("does not go to another origin unless it may, and says what to do", () => {
    for (const [url, location] of elsewhere) {
      assert.throws(
        () => redirect(url, location, 302, false),
        (error) => {
          assert.ok(error instanceof ServalError);
          assert.deepEqual([error.code, error.condition], ["client.cross_origin_redirect", "handshake_failed"]);
          assert.match(error.message, /redirects to another origin, .*: .*redirects: \{ most: 5, crossOrigin: true \}/);
          assert.doesNotMatch(error.message, /secret|sesame/);
          assert.equal(error.response?.headers.get("Location"), location);
          return true;
        },
      );
    }
  });
});
