// A floor: sockets of node:net with the least that a protocol needs.
import { once } from "node:events";
import net from "node:net";
import process from "node:process";
import { broadcaster, host, options, ready } from "./child.mjs";
import { accepted, echoed, response } from "./floor.mjs";

const headEnd = Buffer.from("\r\n\r\n");
const empty = Buffer.alloc(0);
const all = new Set();

function onWebSocket(socket) {
  let isOpen = false;
  let left = empty;
  socket.on("data", (chunk) => {
    if (!isOpen) {
      isOpen = true;
      all.add(socket);
      socket.write(accepted(chunk));
      return;
    }
    const { output, rest, closes } = echoed(left.length === 0 ? chunk : Buffer.concat([left, chunk]));
    left = rest;
    if (output.length > 0) socket.write(output);
    if (closes) socket.end();
  });
  socket.on("close", () => all.delete(socket));
}

/** It ends a connection whose request says that it is the last one; no client sends that after others in one piece. */
function onHttp(socket) {
  let left = empty;
  socket.on("data", (chunk) => {
    left = left.length === 0 ? chunk : Buffer.concat([left, chunk]);
    const isLast = left.includes("\r\nConnection: close\r\n");
    for (let end = left.indexOf(headEnd); end !== -1; end = left.indexOf(headEnd)) {
      left = left.subarray(end + 4);
      socket.write(response);
    }
    if (isLast && left.length === 0) socket.end();
  });
}

function publish(data) {
  const frame = Buffer.concat([Buffer.from([0x82, 0x7e, data.length >> 8, data.length & 0xff]), data]);
  for (const socket of all) socket.write(frame);
}

const onSocket = options.mode === "http" ? onHttp : onWebSocket;
const server = net.createServer({ noDelay: true }, (socket) => {
  socket.on("error", () => {});
  onSocket(socket);
});
server.listen(0, host);
await once(server, "listening");
ready({ version: process.versions.node, port: server.address().port }, broadcaster(publish));
