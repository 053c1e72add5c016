import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConnectSettings, type ConnectOptions } from "../../src/client/options.ts";
import { wantedTransport } from "../../src/net/internal.ts";

function settings(options: unknown): ConnectSettings<unknown> {
  return new ConnectSettings(options as ConnectOptions);
}

describe("ConnectSettings", () => {
  it("has defaults", () => {
    const { protocols, headers, tls, proxyTls, proxy, redirects, family, signal, transport, stream } = settings({});
    assert.deepEqual(
      { protocols, headers: [...headers], tls, proxyTls, proxy, redirects, family, signal },
      {
        protocols: [],
        headers: [],
        tls: {},
        proxyTls: {},
        proxy: undefined,
        redirects: { most: 0, crossOrigin: false },
        family: undefined,
        signal: undefined,
      },
    );
    assert.equal(transport, wantedTransport(undefined));
    assert.equal(stream.timeouts.client.handshake, 30_000);
  });

  it("takes and copies the options given", () => {
    const { signal } = new AbortController();
    const given = {
      protocols: ["a", "b"],
      headers: { Origin: "https://example.com" },
      host: "app.example",
      tls: { servername: "a" },
      proxyTls: { rejectUnauthorized: false },
      proxy: "http://proxy.example",
      redirects: 5,
      family: 6,
      transport: "socket",
      signal,
      maxMessageSize: 1000,
      timeouts: { handshake: 5000 },
    };
    const { protocols, headers, tls, proxyTls, proxy, redirects, family, stream, elsewhere, ...others } =
      settings(given);
    given.headers.Origin = "changed";
    given.tls.servername = "changed";
    assert.deepEqual(
      { protocols, headers: [...headers], tls, proxyTls, redirects, family, ...others },
      {
        protocols: ["a", "b"],
        headers: [["Origin", "https://example.com"]],
        host: "app.example",
        tls: { servername: "a" },
        proxyTls: { rejectUnauthorized: false },
        redirects: { most: 5, crossOrigin: false },
        family: 6,
        transport: "socket",
        signal,
      },
    );
    assert.ok(typeof proxy === "object" && proxy.host === "proxy.example");
    assert.equal(stream.maxMessageSize, 1000);
    assert.equal(elsewhere, stream);
    assert.equal(stream.timeouts.client.handshake, 5000);
    assert.deepEqual(settings({ protocols: "chat" }).protocols, ["chat"]);
    assert.equal(settings({ proxy: "environment" }).proxy, "environment");
    for (const [redirects, expected] of [
      [Infinity, { most: Infinity, crossOrigin: false }],
      [{ most: 3 }, { most: 3, crossOrigin: false }],
      [
        { most: 3, crossOrigin: true },
        { most: 3, crossOrigin: true },
      ],
    ] as const) {
      assert.deepEqual(settings({ redirects }).redirects, expected);
    }
  });

  it("keeps the hook decorate from other origins", () => {
    const decorate = (): void => {};
    const { stream, elsewhere } = settings({ decorate, maxMessageSize: 1000 });
    assert.deepEqual([stream.options.decorate, elsewhere.options.decorate], [decorate, undefined]);
    assert.equal(elsewhere.maxMessageSize, 1000);
  });

  it("refuses an invalid option by name", () => {
    const bad: readonly [options: unknown, message: RegExp][] = [
      [undefined, /plain object/],
      [new URL("ws://example.com"), /plain object/],
      [{ protocol: "chat" }, /no option "protocol"/],
      [{ backoff: {} }, /no option "backoff"/],
      [{ upgrade: () => {} }, /connect has no option "upgrade": .*websocket\.Stream.* takes? it/],
      [{ protocols: 5 }, /protocols must be/],
      [{ protocols: "a b" }, /"a b" can't be offered as a subprotocol: it is not a token/],
      [{ protocols: ["a", "a"] }, /subprotocol "a" is offered twice/],
      [{ protocols: ["a", 5] }, /5 can't be offered/],
      [{ headers: { host: "x" } }, /header Host belongs to the handshake and can't be set: pass it as host/],
      [{ headers: { "Sec-WebSocket-Protocol": "x" } }, /Sec-WebSocket-Protocol .*: pass protocols/],
      [{ headers: [["Sec-WebSocket-Key", "x"]] }, /Sec-WebSocket-Key belongs to the handshake/],
      [{ headers: { "Content-Length": "1" } }, /Content-Length belongs/],
      [{ host: "a b" }, /host must be a name or address/],
      [{ host: 5 }, /host must be .* not 5/],
      [{ hostname: "a" }, /did you mean host/],
      [{ peer: {} }, /connect has no option "peer": websocket.Stream takes it/],
      [{ headers: { "Proxy-authorization": "x" } }, /Proxy-Authorization .* proxy's URL/],
      [
        { tls: { rejectUnauthorised: false } },
        /tls has no option "rejectUnauthorised": did you mean rejectUnauthorized/,
      ],
      [{ tls: { ALPNProtocols: ["h2"] } }, /tls has no option "ALPNProtocols"/],
      [{ proxyTls: { host: "x" } }, /proxyTls has no option "host"/],
      [{ tls: true }, /tls takes a plain object/],
      [{ redirects: -1 }, /redirects must be .* not -1/],
      [{ redirects: 1.5 }, /redirects/],
      [{ redirects: true }, /redirects must be a whole number or \{ most: 5, crossOrigin: true \}, not true/],
      [{ redirects: null }, /redirects must be .*, not null/],
      [{ redirects: {} }, /redirects\.most must be .* not undefined/],
      [{ redirects: { crossOrigin: true } }, /redirects\.most must be/],
      [{ redirects: { most: -1 } }, /redirects\.most must be .* not -1/],
      [{ redirects: { most: 1, crossOrigin: "yes" } }, /redirects\.crossOrigin must be true or false/],
      [
        { redirects: { most: 1, crossorigin: true } },
        /redirects has no option "crossorigin": did you mean crossOrigin/,
      ],
      [{ crossOrigin: true }, /connect has no option "crossOrigin": did you mean redirects\.crossOrigin/],
      [{ redirects: NaN }, /redirects/],
      [{ family: 5 }, /family must be 4 or 6/],
      [{ transport: "pipe" }, /transport must be .*, not "pipe"/],
      [{ signal: new AbortController() }, /signal must be an AbortSignal/],
      [{ timeouts: { handshake: -1 } }, /timeouts\.handshake/],
    ];
    for (const [options, message] of bad) {
      assert.throws(() => settings(options), { code: "core.invalid_argument", message }, String(message));
    }
    assert.throws(() => settings({ headers: { "a b": "c" } }), { code: "http.bad_field" });
    assert.throws(() => settings({ proxy: "proxy.example" }), { code: "client.bad_proxy" });
  });
});
