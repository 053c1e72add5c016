// The least of the protocols, for servers without a library: it echoes frames of up to 64 KiB, answers every request the
// same, and checks nothing.
import { createHash } from "node:crypto";
import { greeting, options } from "./child.mjs";

const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
export const response = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${greeting.length}\r\n\r\n${greeting}`);
const noTakeover = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
/** Compressed messages are echoed as they are, which is right where each is compressed separately. */
const extensions = options.deflate ? `Sec-WebSocket-Extensions: ${noTakeover}\r\n` : "";

/** The answer to an upgrade. */
export function accepted(request) {
  const key = /sec-websocket-key: *(\S+)/i.exec(request.latin1Slice())?.[1];
  const accept = createHash("sha1")
    .update(key + guid)
    .digest("base64");
  return (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    `Sec-WebSocket-Accept: ${accept}\r\n${extensions}\r\n`
  );
}

/** The whole frames of a client, unmasked, as a server sends them; what is left of the input; whether one was a close frame. */
export function echoed(input) {
  const output = Buffer.allocUnsafe(input.length);
  let at = 0;
  let end = 0;
  let closes = false;
  while (at + 6 <= input.length && !closes) {
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
