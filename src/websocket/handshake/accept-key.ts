// The only file of this folder that imports node:crypto.
import * as nodeCrypto from "node:crypto";

/** RFC 6455 section 1.3. */
const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** The one-shot digest of Node 20.12 and later, which saves an object for each handshake. */
const hash: typeof nodeCrypto.hash | undefined = nodeCrypto.hash;

/** The Sec-WebSocket-Accept of a Sec-WebSocket-Key (RFC 6455 section 4.2.2, step 5.4). */
export function acceptKey(key: string): string {
  const input = key + guid;
  if (hash !== undefined) return hash("sha1", input, "base64");
  return nodeCrypto.createHash("sha1").update(input).digest("base64");
}

// Random bytes from Web Crypto, requested many at a time: a request costs ten times as much as the bytes for one key.
const random = new Uint8Array(1024);
let next: number = random.length;

/** A new Sec-WebSocket-Key: sixteen random bytes in base64 (RFC 6455 section 4.1, request item 7). */
export function newKey(): string {
  if (next === random.length) {
    crypto.getRandomValues(random);
    next = 0;
  }
  let nonce = "";
  for (const end = next + 16; next < end; next++) nonce += String.fromCharCode(random[next]!);
  return btoa(nonce);
}
