import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { ServalError } from "../../src/core/index.ts";
import { parseProxy, proxyFromEnvironment, type Proxy } from "../../src/client/proxy.ts";
import { parseUrl } from "../../src/client/url.ts";
import { noProxyRules } from "./support/no-proxy-rules.ts";

const usual: Proxy = { scheme: "http", host: "proxy.example", port: 80, credentials: undefined };
const ada = { user: "ada", password: "open:sesame" };

const good: Readonly<Record<string, Partial<Proxy>>> = {
  "http://proxy.example": {},
  "http://proxy.example:3128": { port: 3128 },
  "http://ada:open%3Asesame@proxy.example:3128/": { port: 3128, credentials: ada },
  "https://proxy.example": { scheme: "https", port: 443 },
  "socks5://proxy.example": { scheme: "socks5", port: 1080 },
  "socks5h://ada:open%3Asesame@proxy.example:1081": { scheme: "socks5h", port: 1081, credentials: ada },
  "socks5://[::1]:1081": { scheme: "socks5", host: "::1", port: 1081 },
  "http://[::1]:3128": { host: "::1", port: 3128 },
};

const bad: Readonly<Record<string, RegExp>> = {
  "": /write it like http:\/\/user:password@proxy\.example:3128/,
  "proxy.example": /write it like http:/,
  "proxy.example:3128": /not with proxy\.example:/,
  "ftp://secret@proxy.example": /http:, https:, socks5: or socks5h:, not with ftp:/,
  "socks4://proxy.example": /not with socks4:/,
  "constructor://proxy.example": /not with constructor:/,
  "socks5:secret": /no host/,
  "http://secret%zz@proxy.example": /written as %25/,
  [`socks5://${"secret".repeat(50)}@proxy.example`]: /at most 255 bytes/,
};

function isBadProxy(message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ServalError);
    assert.deepEqual([error.code, error.condition], ["client.bad_proxy", "misuse"]);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /secret/);
    return true;
  };
}

describe("parseProxy", () => {
  for (const [url, expected] of Object.entries(good)) {
    it(`accepts ${url}`, () => {
      assert.deepEqual(parseProxy(url), { ...usual, ...expected });
      assert.deepEqual(parseProxy(new URL(url)), { ...usual, ...expected });
    });
  }

  for (const [url, message] of Object.entries(bad)) {
    it(`refuses ${JSON.stringify(url).slice(0, 40)}, says what is expected, and shows no secret`, () => {
      assert.throws(() => parseProxy(url), isBadProxy(message));
    });
  }

  it("refuses a value that is neither string nor URL", () => {
    assert.throws(() => parseProxy(8080 as unknown as string), isBadProxy(/a string or URL, not number/));
  });
});

describe("proxyFromEnvironment", () => {
  const before = { ...process.env };

  beforeEach(() => {
    for (const name of Object.keys(process.env)) if (/_proxy$/i.test(name)) delete process.env[name];
  });

  afterEach(() => {
    process.env = { ...before };
  });

  /** The host of the proxy for a URL with these variables set. */
  async function hostFor(url: string, variables: Record<string, string>): Promise<string | undefined> {
    Object.assign(process.env, variables);
    return (await proxyFromEnvironment(parseUrl(url)))?.host;
  }

  const all = {
    WS_PROXY: "http://ws.example",
    WSS_PROXY: "http://wss.example",
    HTTP_PROXY: "http://http.example",
    HTTPS_PROXY: "http://https.example",
    ALL_PROXY: "http://all.example",
  };
  const without = (...names: string[]): Record<string, string> =>
    Object.fromEntries(Object.entries(all).filter(([name]) => !names.includes(name)));

  it("is undefined if no variable is set", async () => {
    assert.equal(await hostFor("ws://example.com", {}), undefined);
    assert.equal(await hostFor("wss://example.com", { WS_PROXY: all.WS_PROXY, HTTP_PROXY: all.HTTP_PROXY }), undefined);
  });

  const order: readonly [url: string, variables: Record<string, string>, host: string][] = [
    ["ws://example.com", all, "ws.example"],
    ["http://example.com", all, "ws.example"],
    ["wss://example.com", all, "wss.example"],
    ["ws://example.com", without("WS_PROXY"), "http.example"],
    ["wss://example.com", without("WSS_PROXY"), "https.example"],
    ["ws://example.com", without("WS_PROXY", "HTTP_PROXY"), "all.example"],
    ["wss://example.com", without("WSS_PROXY", "HTTPS_PROXY"), "all.example"],
    ["ws://example.com", { ...all, ws_proxy: "http://small.example" }, "small.example"],
    ["ws://example.com", { ...without("WS_PROXY"), ws_proxy: "" }, "http.example"],
    ["ws://example.com", { all_proxy: "socks5://small.example" }, "small.example"],
  ];
  for (const [url, variables, host] of order) {
    it(`is ${host} for ${url} with ${Object.keys(variables).join(" ")}`, async () => {
      assert.equal(await hostFor(url, variables), host);
    });
  }

  it("is an HTTP proxy if the value has no scheme", async () => {
    process.env["HTTPS_PROXY"] = "ada:open%3Asesame@proxy.example:3128";
    const proxy = await proxyFromEnvironment(parseUrl("wss://example.com"));
    assert.deepEqual(proxy, { ...usual, port: 3128, credentials: ada });
  });

  for (const { entry, direct, proxied } of noProxyRules()) {
    it(`is none for the hosts that the documentation names for NO_PROXY=${entry}`, async () => {
      for (const variables of [all, { ALL_PROXY: all.ALL_PROXY }]) {
        for (const NO_PROXY of [entry, entry.toUpperCase()]) {
          const isDirect = async (url: string): Promise<boolean> =>
            (await hostFor(url, { ...variables, NO_PROXY })) === undefined;
          for (const url of direct) assert.ok(await isDirect(url), `${url} goes through the proxy`);
          for (const url of proxied) assert.ok(!(await isDirect(url)), `${url} goes past the proxy`);
        }
      }
    });
  }

  it("takes the ports that NO_PROXY names as those of wss: too, and no_proxy before NO_PROXY", async () => {
    assert.equal(await hostFor("wss://example.com", { ...all, NO_PROXY: "example.com:443" }), undefined);
    assert.equal(await hostFor("ws://example.com", { ...all, NO_PROXY: "example.com:443" }), "ws.example");
    assert.equal(await hostFor("ws://a", { ...all, no_proxy: "a", NO_PROXY: "b" }), undefined);
    assert.equal(await hostFor("ws://b", { ...all, no_proxy: "a", NO_PROXY: "b" }), "ws.example");
  });

  it("is undefined for a Unix socket", async () => {
    assert.equal(await hostFor("ws+unix:/run/app.sock", all), undefined);
  });

  it("is refused if it can't be used", async () => {
    await assert.rejects(hostFor("ws://example.com", { WS_PROXY: "ftp://secret@proxy.example" }), isBadProxy(/ftp:/));
  });
});
