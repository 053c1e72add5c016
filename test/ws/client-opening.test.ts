import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { createServer, type ClientRequest, type IncomingMessage, type Server } from "node:http";
import * as net from "node:net";
import type { Duplex } from "node:stream";
import { afterEach, beforeEach, describe, it } from "node:test";
import { WebSocket as Other } from "ws";
import { openAsClient } from "../../src/ws/client-opening.ts";
import { readyState, type ConnectionOptions, type OpeningWebSocket } from "../../src/ws/opening.ts";
import type { ClientOptions } from "../../src/ws/types.ts";

/** A WebSocket in its opening handshake, and the events it emitted. */
class Opening extends EventEmitter implements OpeningWebSocket {
  readonly events: string[] = [];
  _readyState: OpeningWebSocket["_readyState"] = readyState.connecting;
  _errorEmitted = false;
  _url: string | undefined = undefined;
  _protocol = "";
  _extensions: OpeningWebSocket["_extensions"] = {};
  _req: ClientRequest | null = null;
  _redirects = 0;

  constructor() {
    super();
    this.on("error", (error: Error) => this.events.push(`${error.name}: ${error.message}`));
  }

  get readyState(): OpeningWebSocket["_readyState"] {
    return this._readyState;
  }

  setSocket(socket: Duplex, head: Buffer, options: ConnectionOptions): void {
    this.events.push(`open ${head} ${options.maxPayload}`);
    socket.destroy();
    this.emit("end");
  }

  emitClose(): void {
    this.emit("end");
  }
}

/** Opens a WebSocket, and returns it once that has succeeded or failed. */
async function opened(address: string, options: ClientOptions = {}, protocols: string[] = [], ws = new Opening()) {
  const end = new Promise((resolve) => ws.once("end", resolve));
  openAsClient(ws, address, protocols, options);
  await end;
  return ws;
}

const accept = (key: string): string =>
  createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");

/** Answers an upgrade with these headers, `Sec-WebSocket-Accept` among them unless `key` is another. */
function answer(request: IncomingMessage, socket: Duplex, lines: string[] = [], key?: string): void {
  const head = ["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", ...lines];
  if (!lines.some((line) => line.startsWith("Upgrade:"))) head.push("Upgrade: websocket");
  head.push(`Sec-WebSocket-Accept: ${accept(key ?? request.headers["sec-websocket-key"]!)}`);
  socket.write(`${head.join("\r\n")}\r\n\r\nhead`);
}

const port = (of: net.Server): number => (of.address() as net.AddressInfo).port;

let server: Server;
let requests: IncomingMessage[];
const heads = (): (string | undefined)[][] =>
  requests.map(({ headers: { authorization, cookie, host } }) => [authorization, cookie, host]);

/** A server that answers upgrades so; `respond` may redirect. */
async function listening(respond: (request: IncomingMessage, socket: Duplex) => void): Promise<Server> {
  const made = createServer();
  made.on("upgrade", (request: IncomingMessage, socket: Duplex) => {
    requests.push(request);
    socket.on("error", () => {});
    respond(request, socket);
  });
  made.listen(0);
  await once(made, "listening");
  return made;
}

const redirectTo = (location: string, socket: Duplex): void => {
  socket.end(`HTTP/1.1 302 Found\r\nLocation: ${location}\r\n\r\n`);
};

describe("openAsClient", () => {
  let respond: (request: IncomingMessage, socket: Duplex) => void;
  let base: string;
  beforeEach(async () => {
    requests = [];
    respond = answer;
    server = await listening((request, socket) => respond(request, socket));
    base = `ws://localhost:${port(server)}`;
  });
  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  it("opens, with what the response's bytes had after its head, and the options with their defaults", async () => {
    const ws = await opened(`${base}/path?query`, { headers: { "x-mine": "1" }, origin: "https://a.example" });
    assert.deepEqual(ws.events, ["open head 104857600"]);
    const { url, headers } = requests[0]!;
    assert.equal(url, "/path?query");
    assert.equal(headers["sec-websocket-version"], "13");
    assert.equal(headers["sec-websocket-extensions"], "permessage-deflate; client_max_window_bits");
    assert.equal(headers["x-mine"], "1");
    assert.equal(headers.origin, "https://a.example");
    assert.equal(ws._req, null);
    assert.equal(ws._url, `${base}/path?query`);
  });

  it("sends version 8 its own header, and no offer that was declined", async () => {
    await opened(base, { protocolVersion: 8, origin: "https://a.example", perMessageDeflate: false });
    const { headers } = requests[0]!;
    assert.equal(headers["sec-websocket-version"], "8");
    assert.equal(headers["sec-websocket-origin"], "https://a.example");
    assert.equal(headers.origin, undefined);
    assert.equal(headers["sec-websocket-extensions"], undefined);
  });

  it("takes the subprotocol and the extension of the response", async () => {
    const lines = [
      "Sec-WebSocket-Protocol: b",
      "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10",
    ];
    respond = (request, socket) => answer(request, socket, lines);
    const ws = await opened(base, {}, ["a", "b"]);
    assert.equal(requests[0]!.headers["sec-websocket-protocol"], "a,b");
    assert.equal(ws._protocol, "b");
    assert.deepEqual({ ...ws._extensions["permessage-deflate"]!.params }, { server_max_window_bits: 10 });
  });

  it("throws for what can't be asked", () => {
    const open = (address: string, protocols: string[] = [], options: ClientOptions = {}) => {
      return () => openAsClient(new Opening(), address, protocols, options);
    };
    const subprotocol = new SyntaxError("An invalid or duplicated subprotocol was specified");
    assert.throws(open("ws://host", ["a", "a"]), subprotocol);
    assert.throws(open("ws://host", ["a b"]), subprotocol);
    assert.throws(open("ws://host", [null as never]), subprotocol);
    assert.throws(open("foo"), new SyntaxError("Invalid URL: foo"));
    assert.throws(open("ws://host#a"), new SyntaxError("The URL contains a fragment identifier"));
    const version = new RangeError("Unsupported protocol version: 1000 (supported versions: 8, 13)");
    assert.throws(open("ws://host", [], { protocolVersion: 1000 }), version);
  });

  const wrong: [what: string, lines: string[], error: string, protocols?: string[], options?: ClientOptions][] = [
    ["another protocol", ["Upgrade: foo"], "Invalid Upgrade header"],
    ["a subprotocol too many", ["Sec-WebSocket-Protocol: a"], "Server sent a subprotocol but none was requested"],
    ["another subprotocol", ["Sec-WebSocket-Protocol: b"], "Server sent an invalid subprotocol", ["a"]],
    ["no subprotocol", [], "Server sent no subprotocol", ["a"]],
    [
      "an extension without an offer",
      ["Sec-WebSocket-Extensions: a"],
      "Server sent a Sec-WebSocket-Extensions header but no extension was requested",
      [],
      { perMessageDeflate: false },
    ],
    ["another extension", ["Sec-WebSocket-Extensions: a"], "Server indicated an extension that was not requested"],
    ["a bad extension", ["Sec-WebSocket-Extensions: permessage-deflate;"], "Invalid Sec-WebSocket-Extensions header"],
    ["a bad parameter", ["Sec-WebSocket-Extensions: permessage-deflate; a"], "Invalid Sec-WebSocket-Extensions header"],
  ];
  for (const [what, lines, error, protocols, options] of wrong) {
    it(`fails for a response with ${what}`, async () => {
      respond = (request, socket) => answer(request, socket, lines);
      const ws = await opened(base, options, protocols);
      assert.deepEqual(ws.events, [`Error: ${error}`]);
    });
  }

  it("fails for the accept of another key, for another status, and for silence", async () => {
    respond = (request, socket) => answer(request, socket, [], "another");
    assert.deepEqual((await opened(base)).events, ["Error: Invalid Sec-WebSocket-Accept header"]);
    respond = (_, socket) => void socket.end("HTTP/1.1 401 Unauthorized\r\n\r\n");
    assert.deepEqual((await opened(base)).events, ["Error: Unexpected server response: 401"]);
    respond = () => {};
    const { events } = await opened(base, { handshakeTimeout: 1 });
    assert.deepEqual(events, ["Error: Opening handshake has timed out"]);
  });

  it("leaves another response to the listener for it", async () => {
    respond = (_, socket) => void socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno");
    const ws = new Opening();
    openAsClient(ws, base, [], {});
    const [request, response] = (await once(ws, "unexpected-response")) as [ClientRequest, IncomingMessage];
    assert.equal(request, ws._req);
    assert.equal(response.statusCode, 401);
    request.destroy();
    assert.deepEqual(ws.events, []);
  });

  it("emits upgrade, whose listener may close it", async () => {
    const ws = new Opening();
    const upgrade = once(ws, "upgrade");
    ws.once("upgrade", () => (ws._readyState = readyState.closing));
    openAsClient(ws, base, [], {});
    const [response] = (await upgrade) as [IncomingMessage];
    assert.equal(response.statusCode, 101);
    assert.deepEqual(ws.events, []);
    response.socket.destroy();
  });

  it("lets finishRequest send the request, and createConnection connect", async () => {
    const ws = new Opening();
    let given: unknown;
    const finishRequest = (request: ClientRequest, socket: unknown): void => {
      given = socket;
      request.setHeader("Cookie", "a=b");
      request.end();
    };
    let calls = 0;
    const createConnection = ((options: net.TcpNetConnectOpts) => {
      calls++;
      return net.connect(options.port, "localhost");
    }) as typeof net.createConnection;
    await opened(base.replace("localhost", "example.invalid"), { finishRequest, createConnection }, [], ws);
    assert.equal(given, ws);
    assert.equal(calls, 1);
    assert.equal(requests[0]!.headers.cookie, "a=b");
    assert.deepEqual(ws.events, ["open head 104857600"]);
  });

  it("takes the userinfo of the URL before the option auth", async () => {
    await opened(base.replace("//", "//a%40:b@"), { auth: "c:d" });
    await opened(base, { auth: "c:d" });
    const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;
    assert.deepEqual(
      requests.map(({ headers }) => headers.authorization),
      [basic("a@:b"), basic("c:d")],
    );
  });

  it("tells when nobody listens there", async () => {
    const { events } = await opened("ws://127.0.0.1:1/");
    assert.match(events.join(), /ECONNREFUSED/);
  });

  // ---- redirects ----

  it("does not follow a redirect by default", async () => {
    respond = (_, socket) => redirectTo("/next", socket);
    assert.deepEqual((await opened(base)).events, ["Error: Unexpected server response: 302"]);
  });

  it("follows redirects up to their limit, and tells of each", async () => {
    respond = (_, socket) => redirectTo("/next", socket);
    const ws = new Opening();
    const seen: string[] = [];
    ws.on("redirect", (url: string, request: ClientRequest) => {
      assert.equal(request, ws._req);
      seen.push(url);
    });
    await opened(base, { followRedirects: true, maxRedirects: 1 }, [], ws);
    assert.deepEqual(ws.events, ["Error: Maximum redirects exceeded"]);
    assert.deepEqual(seen, [`${base}/next`]);
    assert.deepEqual(
      requests.map(({ url }) => url),
      ["/", "/next"],
    );
  });

  it("fails for a redirect to where no WebSocket is", async () => {
    respond = (_, socket) => redirectTo("ws://", socket);
    assert.deepEqual((await opened(base, { followRedirects: true })).events, ["SyntaxError: Invalid URL: ws://"]);
    respond = (_, socket) => redirectTo("bad-scheme://localhost", socket);
    const { events } = await opened(base, { followRedirects: true });
    assert.match(events.join(), /^SyntaxError: The URL's protocol must be one of/);
  });

  it("gives its credentials to the same host alone, unless somebody looks at the redirects", async () => {
    const other = await listening(answer);
    try {
      const headers = { Authorization: "Basic Zm9vOmJhcg==", Cookie: "a=b", Host: "mine" };
      const options: ClientOptions = { followRedirects: true, headers };
      respond = (request, socket) => {
        if (request.url === "/") redirectTo("/same", socket);
        else if (request.url === "/same") redirectTo(`ws://localhost:${port(other)}/`, socket);
      };
      await opened(base, options);
      const mine = [headers.Authorization, headers.Cookie, headers.Host];
      assert.deepEqual(heads(), [mine, mine, [undefined, undefined, `localhost:${port(other)}`]]);
      requests = [];
      const ws = new Opening();
      ws.on("redirect", () => {});
      await opened(base, options, [], ws);
      assert.deepEqual(heads(), [mine, mine, mine]);
      assert.deepEqual(options.headers, { Authorization: "Basic Zm9vOmJhcg==", Cookie: "a=b", Host: "mine" });
    } finally {
      other.close();
    }
  });

  it("takes the first URL's userinfo for the redirects to the same host", async () => {
    respond = (request, socket) => {
      if (request.url === "/") redirectTo(`ws://c:d@localhost:${port(server)}/next`, socket);
      else answer(request, socket);
    };
    await opened(base.replace("//", "//a:b@"), { followRedirects: true });
    assert.deepEqual(
      requests.map(({ headers }) => headers.authorization),
      ["Basic YTpi", "Basic YTpi"],
    );
  });

  it("tells of a request that a listener for redirect has destroyed", async () => {
    respond = (_, socket) => redirectTo("/next", socket);
    const ws = new Opening();
    ws.on("redirect", (_: string, request: ClientRequest) => {
      request.on("socket", () => request.destroy(new Error("enough")));
    });
    await opened(base, { followRedirects: true }, [], ws);
    assert.deepEqual(ws.events, ["Error: enough"]);
  });

  // ---- beside ws ----

  const cases: [what: string, address: string, protocols: string[], options: ClientOptions][] = [
    ["by default", "/", [], {}],
    ["with a path and a query", "/a%20b?c=d&e", [], {}],
    ["with headers", "/", [], { headers: { "X-Mine": "1", origin: "a", connection: "b", host: "c" }, origin: "d" }],
    ["with subprotocols", "/", ["a", "b"], { perMessageDeflate: false }],
    ["in version 8", "/", [], { protocolVersion: 8, origin: "a" }],
    [
      "with options of compression",
      "/",
      [],
      { perMessageDeflate: { serverNoContextTakeover: true, serverMaxWindowBits: 10, clientMaxWindowBits: 11 } },
    ],
    ["with the window that it has", "/", [], { perMessageDeflate: { clientMaxWindowBits: false as never } }],
    ["with auth", "/", [], { auth: "a:b" }],
    [
      "with what the URL has",
      "/",
      [],
      { host: "example.invalid", method: "POST", path: "/b", port: 1 } as ClientOptions,
    ],
    ["with redirects", "/", [], { followRedirects: true, auth: "a:b", headers: { Cookie: "c" } }],
  ];
  for (const [what, path, protocols, options] of cases) {
    it(`sends the bytes that ws' own sends, ${what}`, async () => {
      const received: string[] = [];
      const raw = net.createServer((socket) => {
        socket.on("error", () => {});
        socket.once("data", (bytes) => {
          received.push(String(bytes).replace(/(Sec-WebSocket-Key: ).*/, "$1"));
          socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
        });
      });
      raw.listen(0);
      await once(raw, "listening");
      const address = `ws://localhost:${port(raw)}${path}`;
      await opened(address, options, protocols);
      const other = new Other(address, protocols, options as object);
      other.on("error", () => {});
      await new Promise((resolve) => other.once("close", resolve));
      raw.close();
      assert.equal(received.length, 2);
      assert.equal(received[0], received[1]);
    });
  }
});
