import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServalError } from "../../src/core/index.ts";
import {
  basic,
  hostAndPort,
  isSameOrigin,
  parseUrl,
  placeOf,
  serverName,
  withHost,
  type Endpoint,
} from "../../src/client/url.ts";

const usual: Endpoint = {
  isSecure: false,
  host: "example.com",
  port: 80,
  unix: undefined,
  authority: "example.com",
  target: "/",
  credentials: undefined,
};

const unix: Partial<Endpoint> = { host: "localhost", authority: "localhost" };

const good: Readonly<Record<string, Partial<Endpoint>>> = {
  "ws://example.com": {},
  "http://example.com/": {},
  "WS://EXAMPLE.com/": {},
  "wss://example.com": { isSecure: true, port: 443 },
  "https://example.com": { isSecure: true, port: 443 },
  "ws://example.com:80/": {},
  "wss://example.com:443/": { isSecure: true, port: 443 },
  "ws://example.com:443/": { port: 443, authority: "example.com:443" },
  "wss://example.com:80/": { isSecure: true, port: 80, authority: "example.com:80" },
  "ws://example.com:0/": { port: 0, authority: "example.com:0" },
  "ws://example.com/chat?room=1&x=a%20b": { target: "/chat?room=1&x=a%20b" },
  "ws://example.com?room=1": { target: "/?room=1" },
  "ws://example.com/a b/ü?q=ü": { target: "/a%20b/%C3%BC?q=%C3%BC" },
  "ws://example.com/a/../b%23c": { target: "/b%23c" },
  "ws://127.0.0.1:8080/": { host: "127.0.0.1", port: 8080, authority: "127.0.0.1:8080" },
  "http://[::1]:81/": { host: "::1", port: 81, authority: "[::1]:81" },
  "ws://[::1]/": { host: "::1", authority: "[::1]" },
  "wss://[2001:DB8::1]:8443/x": {
    isSecure: true,
    host: "2001:db8::1",
    port: 8443,
    authority: "[2001:db8::1]:8443",
    target: "/x",
  },
  "ws://bücher.example/": { host: "xn--bcher-kva.example", authority: "xn--bcher-kva.example" },
  "ws://ada:secret@example.com/": { credentials: { user: "ada", password: "secret" } },
  "ws://ada@example.com/": { credentials: { user: "ada", password: "" } },
  "ws://:secret@example.com/": { credentials: { user: "", password: "secret" } },
  "ws://a%40b:p%3A%C3%BC@example.com/": { credentials: { user: "a@b", password: "p:ü" } },
  "ws+unix:/run/app.sock": { ...unix, unix: "/run/app.sock" },
  "ws+unix:/run/app.sock:/chat?room=1:2": { ...unix, unix: "/run/app.sock", target: "/chat?room=1:2" },
  "ws+unix:/run/app.sock:/a:b": { ...unix, unix: "/run/app.sock", target: "/a:b" },
  "ws+unix:/run/app.sock?room=1": { ...unix, unix: "/run/app.sock", target: "/?room=1" },
  "ws+unix:///run/app.sock:/chat": { ...unix, unix: "/run/app.sock", target: "/chat" },
  "wss+unix:/run/app.sock:/chat": { ...unix, isSecure: true, port: 443, unix: "/run/app.sock", target: "/chat" },
  "ws+unix:/run/app.sock:": { ...unix, unix: "/run/app.sock" },
  "ws+unix:app.sock:/chat": { ...unix, unix: "app.sock", target: "/chat" },
  "ws+unix:/a%3Ab.sock:/t:u?v": { ...unix, unix: "/a:b.sock", target: "/t:u?v" },
  "ws+unix:/run/my%20app%3A1.sock:/c%20d": { ...unix, unix: "/run/my app:1.sock", target: "/c%20d" },
};

const bad: Readonly<Record<string, RegExp>> = {
  "": /write it like ws:\/\/example\.com\/chat/,
  "/chat": /write it like ws:/,
  "example.com/secret": /write it like ws:/,
  "ws://": /write it like ws:/,
  "ws://example.com:99999/secret": /write it like ws:/,
  "ws://exa mple.com/": /write it like ws:/,
  "ftp://example.com/": /not with ftp:/,
  "localhost:8080": /not with localhost:/,
  "http+unix:/run/app.sock": /not with http\+unix:/,
  "ws://example.com/#": /no fragment.*%23/,
  "ws://example.com/chat#secret": /no fragment.*%23/,
  "ws+unix:/run/app.sock:/#secret": /no fragment.*%23/,
  "ws+unix:": /ws\+unix:\/path\/to\.sock:\/target/,
  "ws+unix::/chat": /ws\+unix:\/path\/to\.sock:\/target/,
  "ws+unix://run/app.sock": /ws\+unix:\/path\/to\.sock:\/target/,
  "ws+unix:/run/app.sock:chat": /ws\+unix:\/path\/to\.sock:\/target/,
  "ws+unix:/run/%zz": /written as %25/,
  "ws://user:secret%zz@example.com/": /written as %25/,
};

function isBadUrl(message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ServalError);
    assert.deepEqual([error.code, error.condition], ["client.bad_url", "misuse"]);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /secret/);
    return true;
  };
}

describe("parseUrl", () => {
  for (const [url, expected] of Object.entries(good)) {
    it(`accepts ${url}`, () => {
      assert.deepEqual(parseUrl(url), { ...usual, ...expected });
      assert.deepEqual(parseUrl(new URL(url)), { ...usual, ...expected });
    });
  }

  for (const [url, message] of Object.entries(bad)) {
    it(`refuses ${JSON.stringify(url)}, says what is expected, and shows no secret`, () => {
      assert.throws(() => parseUrl(url), isBadUrl(message));
      if (URL.canParse(url)) assert.throws(() => parseUrl(new URL(url)), isBadUrl(message));
    });
  }

  it("refuses a value that is neither string nor URL", () => {
    for (const value of [undefined, null, 80, {}, ["ws://example.com"]]) {
      assert.throws(
        () => parseUrl(value as unknown as string),
        isBadUrl(/a string or URL, not (undefined|object|number)/),
      );
    }
  });
});

describe("isSameOrigin", () => {
  it("compares scheme, host and port, and the path of a socket", () => {
    const same = (a: string, b: string): boolean => isSameOrigin(parseUrl(a), parseUrl(b));
    assert.ok(same("ws://example.com/a", "http://EXAMPLE.com:80/b?c"));
    assert.ok(same("ws://example.com/", "wss://example.com/"));
    assert.ok(same("ws://[::1]:80/", "https://[::1]/"));
    assert.ok(!same("wss://example.com/", "ws://example.com/"));
    assert.ok(!same("ws://example.com:81/", "wss://example.com/"));
    assert.ok(!same("ws://example.com/", "wss://example.com:444/"));
    assert.ok(!same("ws://example.com:8080/", "wss://example.com:8080/"));
    assert.ok(!same("ws+unix:/a", "wss://localhost/"));
    assert.ok(!same("ws://example.com/", "ws://www.example.com/"));
    assert.ok(!same("ws://example.com/", "ws://example.com:81/"));
    assert.ok(same("ws+unix:/a:/x", "ws+unix:/a:/y"));
    assert.ok(!same("ws+unix:/a", "ws+unix:/b"));
    assert.ok(!same("ws+unix:/a", "ws://localhost/"));
    const other = withHost(parseUrl("ws://example.com/"), "other.example");
    assert.ok(isSameOrigin(other, { ...other, target: "/x" }));
    assert.ok(!isSameOrigin(other, parseUrl("ws://example.com/")));
  });
});

describe("withHost", () => {
  const asked = (url: string, host: string): string => {
    const { authority, ...place } = withHost(parseUrl(url), host);
    const { authority: _, ...before } = parseUrl(url);
    assert.deepEqual(place, before);
    return authority;
  };

  it("changes the Host alone, which it writes as browsers do", () => {
    for (const [url, host, authority, name] of [
      ["ws://10.0.0.1/", "example.com", "example.com", "example.com"],
      ["ws://10.0.0.1:8080/", "example.com", "example.com", "example.com"],
      ["wss://10.0.0.1/", "Example.COM:8443", "example.com:8443", "example.com"],
      ["wss://10.0.0.1/", "example.com:443", "example.com", "example.com"],
      ["ws://10.0.0.1/", "example.com:443", "example.com:443", "example.com"],
      ["ws://localhost/", "[::1]:8080", "[::1]:8080", "::1"],
      ["ws+unix:/run/app.sock", "bücher.example", "xn--bcher-kva.example", "xn--bcher-kva.example"],
      ["ws://example.com/", "127.0.0.1:80", "127.0.0.1", "127.0.0.1"],
    ] as const) {
      assert.equal(asked(url, host), authority);
      assert.equal(serverName(withHost(parseUrl(url), host)), name);
    }
    assert.equal(serverName(parseUrl("wss://[::1]:8443/")), "::1");
    assert.equal(serverName(parseUrl("wss+unix:/run/app.sock")), "localhost");
  });

  it("refuses anything but a host", () => {
    for (const host of [
      "",
      "a/b",
      "a?b",
      "a#b",
      "user@a",
      "a b",
      " a",
      "a:b",
      "a:99999",
      "::1",
      "[::1",
      "http://a",
      "a\\b",
      "a\tb",
      5,
      null,
    ]) {
      assert.throws(
        () => withHost(parseUrl("ws://localhost/"), host as string),
        { code: "core.invalid_argument", message: /^host must be .* such as example\.com/ },
        String(host),
      );
    }
  });
});

describe("placeOf", () => {
  it("names the place, without target or credentials", () => {
    assert.equal(placeOf(parseUrl("wss://user:secret@example.com/secret")), "example.com:443");
    assert.equal(placeOf(parseUrl("ws://[::1]:8080/secret")), "[::1]:8080");
    assert.equal(placeOf(parseUrl("ws+unix:/run/app.sock:/secret")), "/run/app.sock");
    assert.equal(hostAndPort("127.0.0.1", 80), "127.0.0.1:80");
  });
});

describe("basic", () => {
  it("is RFC 7617's encoding, in UTF-8", () => {
    assert.equal(basic({ user: "Aladdin", password: "open sesame" }), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert.equal(basic({ user: "test", password: "123£" }), "Basic dGVzdDoxMjPCow==");
  });
});

describe("a text that is no URL", () => {
  for (const [given, message] of [
    ["ws://127.0.0.1:99999", /^The URL's host or port is invalid: write it like ws:/],
    ["ws://a b/", /^The URL's host or port is invalid/],
    ["/tmp/x.sock", /^A Unix socket is written as ws\+unix:\/path\/to\.sock:\/target, another address whole/],
    ["unix:/tmp/x.sock", /^A WebSocket URL begins with ws:/],
    ["example.com/secret", /^This is not a whole URL/],
  ] as const) {
    it(`${given} is described`, () => {
      assert.throws(() => parseUrl(given), { code: "client.bad_url", message });
    });
  }
});
