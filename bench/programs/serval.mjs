// serval, the build that `options.serval` is the path of: it may be an older one, so that only names are used that every
// edition has.
import { pathToFileURL } from "node:url";
import { broadcaster, EchoClient, greeting, host, opener, options, ready, readyClients, runner } from "./child.mjs";
import { fetchHandlers } from "./fetch-handlers.mjs";

const imported = (file) => import(new URL(file, pathToFileURL(options.serval)).href);
const { connect, http, net, serve, websocket } = await imported("index.js");
const { mode, tls, version } = options;
const url = `ws://${host}:${options.port}/`;
const takeover = { serverNoContextTakeover: false, clientNoContextTakeover: false };
const deflate = options.deflate === "takeover" ? takeover : (options.deflate ?? false);
const message = (ws, data) => ws.write(data);

/** All but the flooded servers let a peer send as fast as it likes, as the others' servers do. */
const listening = { port: 0, host, deflate, ...(!mode.startsWith("flooded") && { rate: false }), ...(tls && { tls }) };

/** With `http.serve`. */
const handlers = {
  get: () => new http.Response({ body: greeting }),
  json: async (request) => {
    const value = JSON.parse(await request.text());
    return new http.Response({ headers: { "Content-Type": "application/json" }, body: JSON.stringify(value) });
  },
  upload: async (request) => new http.Response({ body: `${(await request.bytes()).length}` }),
  file: async () => new http.Response({ body: await http.fileBody(options.file) }),
};

async function listenHttp(handler) {
  const listener = await net.listen({ port: 0, host }, (stream) => void http.serve(stream, handler).catch(() => {}));
  ready({ version, port: listener.port });
}

const modes = {
  echo: async () => ready({ version, port: (await serve({ ...listening, message })).port }),
  pulled: async () => {
    const connection = async (ws) => {
      for await (const data of ws) await ws.write(data);
    };
    ready({ version, port: (await serve({ ...listening, connection })).port });
  },
  pulledSent: async () => {
    const connection = async (ws) => {
      for (let data = await ws.read(); data !== undefined; data = await ws.read()) ws.send(data);
    };
    ready({ version, port: (await serve({ ...listening, connection })).port });
  },
  flooded: async () => ready({ version, port: (await serve({ ...listening, message })).port }),
  floodedSink: async () => {
    const answer = (ws, data) => (typeof data === "string" ? ws.write(data) : undefined);
    ready({ version, port: (await serve({ ...listening, message: answer })).port });
  },
  floodedParts: async () => {
    const connection = async (ws) => {
      for (;;) {
        const { done } = await ws.readSome();
        if (done) await ws.write("all of it has come");
      }
    };
    ready({ version, port: (await serve({ ...listening, connection })).port });
  },
  floodedHttp: async () => {
    const respond = async (request) => {
      await request.bytes();
      return new http.Response({ body: greeting });
    };
    const respondAtOnce = () => new http.Response({ body: greeting });
    await listenHttp((request) => (request.method === "POST" ? respond(request) : respondAtOnce()));
  },
  broadcast: async () => {
    const server = await serve({ ...listening, open: (ws) => void ws.subscribe("all"), message: () => {} });
    ready(
      { version, port: server.port },
      broadcaster((data) => server.publish("all", data)),
    );
  },
  http: async () => {
    const { form, handler } = options;
    if (handler === "http.serve") return listenHttp(handlers[form]);
    const answer = handler === "fetch" ? fetchHandlers[form] : handlers[form];
    ready({ version, port: (await serve({ port: 0, host, fetch: answer })).port });
  },
  client: () =>
    readyClients(version, async () => {
      const client = new EchoClient((data) => ws.write(data));
      const ws = await connect(url, { deflate, message: (_, data) => client.received(data) });
      return client;
    }),
  clientClose: async () => {
    const operate = async (done) => {
      const ws = await connect(url);
      await ws.close();
      done();
    };
    ready({ version }, runner(Array.from({ length: options.connections }, () => operate)));
  },
  clientIdle: async () =>
    ready(
      { version },
      opener(() => connect(url, { message: () => {} })),
    ),
  request: async () => {
    const request = http.Request.from(new Request(`http://${host}:${options.port}/`));
    const open = async () => {
      const stream = await net.connect({ host, port: options.port });
      return async (done) => {
        const response = await http.request(stream, request);
        await response.bytes();
        done();
      };
    };
    ready({ version }, runner(await Promise.all(Array.from({ length: options.connections }, open))));
  },
  accept: async () => {
    const { pair } = await imported("testing/index.js");
    const key = "dGhlIHNhbXBsZSBub25jZQ==";
    const upgrade = Buffer.from(
      `GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
    // Both ends are made, the request is read, the 101 written, and all is gone.
    const operate = (done) => {
      const [stream, client] = pair();
      client.writeSome(upgrade, () => {});
      const ws = new websocket.Stream(stream);
      ws.accept((error) => {
        if (error) throw error;
        // An open one has a timer, which would keep it.
        ws.terminate();
        done();
      });
    };
    ready({ version }, runner([operate]));
  },
};

await modes[mode]();
