// node:http, as a server and as a client.
import { once } from "node:events";
import http from "node:http";
import process from "node:process";
import { greeting, host, options, ready, runner } from "./child.mjs";

const version = process.versions.node;

if (options.mode === "request") {
  const { port, connections } = options;
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  const operate = (done) => {
    http.get({ host, port, agent }, (response) => response.resume().on("end", done));
  };
  ready({ version }, runner(Array.from({ length: connections }, () => operate)));
} else {
  const server = http.createServer((request, response) => {
    if (request.method === "POST") request.on("end", () => response.end(greeting)).resume();
    else response.end(greeting);
  });
  server.listen(0, host);
  await once(server, "listening");
  ready({ version, port: server.address().port });
}
