import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Request } from "../../src/http/index.ts";
import { originRule, type Origins } from "../../src/server/origin.ts";
import { fc } from "../support/property.ts";

function request(host: string | undefined, ...origins: string[]): Request {
  return new Request({ headers: { ...(host !== undefined && { Host: host }), Origin: origins } });
}

function allows(origins: Origins | undefined, host: string, ...given: string[]): boolean {
  return originRule(origins)(request(host, ...given));
}

describe("without the option, only pages of the host itself", () => {
  for (const [origin, host] of [
    ["http://app.example", "app.example"],
    ["http://app.example:8080", "app.example:8080"],
    ["http://app.example", "app.example:80"],
    ["http://app.example:80", "app.example"],
    ["https://app.example", "app.example:443"],
    ["https://app.example:443", "app.example"],
    ["HTTP://APP.example", "app.EXAMPLE"],
    ["http://127.0.0.1:8080", "127.0.0.1:8080"],
    ["http://[::1]:8080", "[::1]:8080"],
    ["http://[::1]", "[::1]:80"],
    ["https://[2001:DB8::1]", "[2001:db8::1]"],
    // Behind a proxy that ends the TLS and leaves Host as it was.
    ["https://app.example:8443", "app.example:8443"],
  ] as const) {
    test(`${origin} may connect to ${host}`, () => assert.ok(allows(undefined, host, origin)));
  }

  for (const [origin, host] of [
    ["http://evil.example", "app.example"],
    ["http://app.example.evil.example", "app.example"],
    ["http://evil-app.example", "app.example"],
    ["http://sub.app.example", "app.example"],
    ["http://app.example:8080", "app.example"],
    ["http://app.example", "app.example:8080"],
    ["http://app.example:443", "app.example"],
    ["https://app.example", "app.example:80"],
    ["http://app.example/", "app.example"],
    ["http://app.example@evil.example", "evil.example"],
    ["http://evil.example#app.example", "app.example"],
    ["http://evil.example\\app.example", "app.example"],
    ["ftp://app.example", "app.example"],
    ["file://", ""],
    ["http://", ""],
    ["app.example", "app.example"],
    ["//app.example", "app.example"],
    ["null", "null"],
    ["", "app.example"],
    ["http://app.example http://app.example", "app.example"],
    ["http://[::1]:81", "[::1]"],
    // Behind a proxy that puts a name of its own into Host nobody can tell.
    ["https://app.example", "backend:8080"],
  ] as const) {
    test(`${origin || "an empty one"} may not connect to ${host || "no host"}`, () =>
      assert.ok(!allows(undefined, host, origin)));
  }

  test("a client without Origin is no browser, and may connect", () => {
    assert.ok(originRule(undefined)(new Request({ headers: { Host: "app.example" } })));
    assert.ok(originRule(["https://other.example"])(new Request({ headers: { Host: "app.example" } })));
  });

  test("without Host no page is of the same host", () => {
    assert.ok(!originRule(undefined)(request(undefined, "http://app.example")));
  });

  test("several origins are refused, even if each is allowed", () => {
    const own = "http://app.example";
    for (const origins of [undefined, [own], [/.*/], (): boolean => true]) {
      assert.ok(!allows(origins, "app.example", own, own));
      assert.ok(!allows(origins, "app.example", own, "http://evil.example"));
    }
    assert.ok(allows("*", "app.example", own, own));
  });
});

describe("a list", () => {
  for (const [one, origin] of [
    ["https://app.example", "https://app.example"],
    ["https://app.example", "https://APP.example"],
    ["HTTPS://App.Example", "https://app.example"],
    ["https://app.example:443", "https://app.example"],
    ["https://app.example", "https://app.example:443"],
    ["http://app.example:80", "http://app.example"],
    ["https://app.example:8443", "https://app.example:8443"],
    ["https://bücher.example", "https://xn--bcher-kva.example"],
    ["https://*.bücher.example", "https://a.xn--bcher-kva.example"],
    ["http://[0:0::1]:8080", "http://[::1]:8080"],
    ["chrome-extension://abcdef", "chrome-extension://abcdef"],
    ["tauri://localhost", "tauri://localhost"],
    ["https://*.app.example", "https://a.app.example"],
    ["https://*.app.example", "https://a-b.c_d.app.example"],
    ["https://*.app.example:8443", "https://a.app.example:8443"],
    ["https://*.app.example:443", "https://a.app.example"],
    [/https:\/\/(a|b)\.example/, "https://b.example"],
    [/https:\/\/App\.example/, "https://app.example"],
    [/https:\/\/app\.example/g, "https://app.example"],
    ["null", "null"],
    ["*", "null"],
    ["*", "anything at all"],
  ] as const) {
    test(`${String(one)} allows ${origin}, each time`, () => {
      const rule = originRule([one]);
      for (let time = 0; time < 3; time++) assert.ok(rule(request("h", origin)));
    });
  }

  for (const [one, origin] of [
    ["https://app.example", "http://app.example"],
    ["https://app.example", "https://app.example:8443"],
    ["https://app.example", "https://sub.app.example"],
    ["https://app.example", "https://app.example/"],
    ["https://*.app.example", "https://app.example"],
    ["https://*.app.example", "https://.app.example"],
    ["https://*.app.example", "https://evil-app.example"],
    ["https://*.app.example", "http://a.app.example"],
    ["https://*.app.example", "https://a.app.example:8443"],
    ["https://*.app.example", "https://a.app.example.evil.example"],
    ["https://*.app.example", "https://evil.example/.app.example"],
    ["https://*.app.example", "https://evil.example?.app.example"],
    ["https://*.app.example", "https://evil.example#.app.example"],
    ["https://*.app.example", "https://evil.example:80.app.example"],
    ["https://*.app.example", "https://evil.example\\.app.example"],
    ["https://*.app.example", "https://user@.app.example"],
    ["https://*.app.example", "https://evil.example .app.example"],
    [/app\.example/, "https://app.example"],
    [/https:\/\/app\.example/, "https://app.example.evil.example"],
    [/^https:\/\/a|b\.example$/, "https://a.evil.example"],
    ["https://app.example", "null"],
  ] as const) {
    test(`${String(one)} does not allow ${origin}`, () => assert.ok(!allows([one], "h", origin)));
  }

  test("the host itself is allowed too", () => {
    assert.ok(allows(["https://other.example"], "app.example", "https://app.example"));
    assert.ok(allows([], "app.example", "https://app.example"));
  });

  test("any Origin is checked without harm, and allowed only if it is listed", () => {
    const rule = originRule(["https://*.app.example", "https://one.example"]);
    const alphabet = [..."https://*.app.exmpl:@?#[]%\\ \u00e9one40"];
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...alphabet)).map((letters) => letters.join("")),
        (noise) => {
          for (const origin of [noise, `https://${noise}`, `https://${noise}.app.example`]) {
            const value = origin.trim();
            const isAllowed = rule(request("h", value));
            const url = URL.canParse(value) ? new URL(value) : undefined;
            const isListed =
              url?.protocol === "https:" && (url.hostname.endsWith(".app.example") || url.hostname === "one.example");
            if (isAllowed) assert.ok(isListed || url?.host === "h", value);
          }
        },
      ),
    );
  });
});

describe("a function", () => {
  test("returns true to allow an origin, and is not called for the host's own", () => {
    const asked: [string, string][] = [];
    const rule = originRule((origin, { path }) => {
      asked.push([origin, path]);
      return origin === "https://Good.example";
    });
    assert.ok(rule(request("app.example", "https://Good.example")));
    assert.ok(!rule(request("app.example", "https://bad.example")));
    assert.ok(!rule(request("app.example", "null")));
    assert.ok(rule(request("app.example", "https://app.example")));
    assert.ok(rule(new Request({ headers: { Host: "app.example" } })));
    assert.deepEqual(asked, [
      ["https://Good.example", "/"],
      ["https://bad.example", "/"],
      ["null", "/"],
    ]);
  });

  test("that returns anything but true allows nothing", () => {
    for (const result of [false, undefined, null, 0, 1, "true", {}]) {
      assert.ok(!allows(() => result as boolean, "h", "https://other.example"));
    }
  });

  test("that throws allows nothing, and is reported", (t) => {
    const reported = t.mock.method(console, "error", () => {});
    const failure = new Error("mine");
    const rule = originRule(() => {
      throw failure;
    });
    assert.ok(!rule(request("h", "https://other.example")));
    assert.deepEqual(reported.mock.calls[0]?.arguments, [failure]);
  });

  test("that is async allows nothing, and is reported; its rejection ends no process", async (t) => {
    const reported = t.mock.method(console, "error", () => {});
    for (const result of [Promise.resolve(true), Promise.reject(new Error("mine"))]) {
      assert.ok(!allows(() => result as unknown as boolean, "h", "https://other.example"));
    }
    await new Promise(setImmediate);
    const told = reported.mock.calls.map(({ arguments: [error] }) => (error as Error).message);
    assert.deepEqual(told, Array(2).fill("The function origins can't be async: the hook upgrade can"));
  });
});

for (const wrong of [
  "https://app.example",
  true,
  null,
  {},
  [""],
  ["app.example"],
  ["https://app.example/"],
  ["https://app.example/path"],
  ["https://user@app.example"],
  ["https://"],
  ["https://*"],
  ["https://a.*.example"],
  ["https://app*.example"],
  ["//app.example"],
  [new URL("https://app.example")],
  [undefined],
  [["https://app.example"]],
  [Symbol("x")],
]) {
  test(`${typeof wrong === "object" ? JSON.stringify(wrong) : String(wrong)} is refused, with what is expected`, () => {
    assert.throws(() => originRule(wrong as Origins), {
      code: "core.invalid_argument",
      message: /https:\/\/app\.example/,
    });
  });
}
