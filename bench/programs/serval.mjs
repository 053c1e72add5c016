// serval, the build that `options.serval` is the path of: it may be an older one, so that only names are used that every
// edition has.
import { pathToFileURL } from "node:url";
import { broadcaster, greeting, host, options, ready, runner } from "./child.mjs";

const { connect, http, net, serve } = await import(pathToFileURL(options.serval).href);
const { mode, deflate = false, tls, version } = options;
const message = (ws, data) => ws.write(data);

/** All but the flooded servers let a peer send as fast as it likes, as the others' servers do. */
const listening = { port: 0, host, deflate, ...(!mode.startsWith("flooded") && { rate: false }), ...(tls && { tls }) };

const modes = {
  echo: async () => ready({ version, port: (await serve({ ...listening, message })).port }),
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
    const listener = await net.listen({ port: 0, host }, (stream) => {
      http.serve(stream, (request) => (request.method === "POST" ? respond(request) : respondAtOnce())).catch(() => {});
    });
    ready({ version, port: listener.port });
  },
  broadcast: async () => {
    const server = await serve({ ...listening, open: (ws) => void ws.subscribe("all"), message: () => {} });
    ready(
      { version, port: server.port },
      broadcaster((data) => server.publish("all", data)),
    );
  },
  get: async () => {
    const respond = () => new http.Response({ body: greeting });
    const listener = await net.listen({ port: 0, host }, (stream) => {
      http.serve(stream, respond).catch(() => {});
    });
    ready({ version, port: listener.port });
  },
  fetch: async () => {
    const server = await serve({ port: 0, host, fetch: () => new Response(greeting) });
    ready({ version, port: server.port });
  },
  client: async () => {
    const data = new Uint8Array(options.size);
    const open = async () => {
      let done;
      const ws = await connect(`ws://${host}:${options.port}/`, { message: () => done() });
      return (whenDone) => {
        done = whenDone;
        ws.write(data);
      };
    };
    ready({ version }, runner(await Promise.all(Array.from({ length: options.connections }, open))));
  },
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
};

await modes[mode]();
