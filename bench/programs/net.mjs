// The floor: sockets of node:net with the least that a protocol needs. It echoes frames of up to 64 KiB, answers every
// request the same, and checks nothing.
import { createHash } from "node:crypto";
import { once } from "node:events";
import net from "node:net";
import process from "node:process";
import { broadcaster, greeting, host, options, ready } from "./child.mjs";

const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const response = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${greeting.length}\r\n\r\n${greeting}`);
const headEnd = Buffer.from("\r\n\r\n");
const empty = Buffer.alloc(0);

/** The answer to an upgrade. */
function accepted(request) {
  const key = /sec-websocket-key: *(\S+)/i.exec(request.latin1Slice())?.[1];
  const accept = createHash("sha1")
    .update(key + guid)
    .digest("base64");
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
}

/** The whole frames of a client, unmasked, as a server sends them; what is left of the input; whether one was a close frame. */
function echoed(input) {
  const output = Buffer.allocUnsafe(input.length);
  let at = 0;
  let end = 0;
  let closes = false;
  while (at + 8 <= input.length && !closes) {
    const short = input[at + 1] & 0x7f;
    const size = short < 126 ? 2 : 4;
    const length = short < 126 ? short : input.readUInt16BE(at + 2);
    const key = at + size;
    const next = key + 4 + length;
    if (next > input.length) break;
    closes = (input[at] & 0x0f) === 8;
    output[end] = input[at];
    output[end + 1] = short;
    if (size === 4) output.writeUInt16BE(length, end + 2);
    end += size;
    for (let i = 0; i < length; i++) output[end + i] = input[key + 4 + i] ^ input[key + (i & 3)];
    end += length;
    at = next;
  }
  return { output: output.subarray(0, end), rest: input.subarray(at), closes };
}

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
    socket.write(output);
    if (closes) socket.end();
  });
  socket.on("close", () => all.delete(socket));
}

function onHttp(socket) {
  let left = empty;
  socket.on("data", (chunk) => {
    left = left.length === 0 ? chunk : Buffer.concat([left, chunk]);
    for (let end = left.indexOf(headEnd); end !== -1; end = left.indexOf(headEnd)) {
      left = left.subarray(end + 4);
      socket.write(response);
    }
  });
}

function publish(data) {
  const frame = Buffer.concat([Buffer.from([0x82, 0x7e, data.length >> 8, data.length & 0xff]), data]);
  for (const socket of all) socket.write(frame);
}

const onSocket = options.mode === "get" ? onHttp : onWebSocket;
const server = net.createServer({ noDelay: true }, (socket) => {
  socket.on("error", () => {});
  onSocket(socket);
});
server.listen(0, host);
await once(server, "listening");
ready({ version: process.versions.node, port: server.address().port }, broadcaster(publish));
