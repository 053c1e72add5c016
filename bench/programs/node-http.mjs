// node:http, as a server and as a client.
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import http from "node:http";
import process from "node:process";
import { greeting, host, options, ready, runner } from "./child.mjs";

const version = process.versions.node;

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

const handlers = {
  get: (_request, response) => response.end(greeting),
  json: async (request, response) => {
    const value = JSON.parse((await bodyOf(request)).toString());
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(value));
  },
  upload: async (request, response) => response.end(`${(await bodyOf(request)).length}`),
  file: async (_request, response) => {
    response.setHeader("Content-Length", (await stat(options.file)).size);
    createReadStream(options.file).pipe(response);
  },
};

/** A flood's requests have bodies, which are read to their end. */
function flooded(request, response) {
  if (request.method === "POST") request.on("end", () => response.end(greeting)).resume();
  else response.end(greeting);
}

if (options.mode === "request") {
  const { port, connections } = options;
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  const operate = (done) => {
    http.get({ host, port, agent }, (response) => response.resume().on("end", done));
  };
  ready({ version }, runner(Array.from({ length: connections }, () => operate)));
} else {
  const server = http.createServer(options.mode === "http" ? handlers[options.form] : flooded);
  server.listen(0, host);
  await once(server, "listening");
  ready({ version, port: server.address().port });
}
