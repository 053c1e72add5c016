import { encodeLatin1 } from "../../src/core/internal.ts";

const browser = [
  "Host: 127.0.0.1:8080",
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
  "Accept-Encoding: gzip, deflate, br, zstd",
  "Accept-Language: en-US,en;q=0.9",
  "Cache-Control: no-cache",
  "Pragma: no-cache",
];

const head = (line: string, fields: readonly string[]): Uint8Array =>
  encodeLatin1(`${[line, ...browser, ...fields].join("\r\n")}\r\n\r\n`);

/** A request as a browser sends it for a page. */
export const pageRequest: Uint8Array = head("GET /chat?room=1 HTTP/1.1", [
  "Connection: keep-alive",
  'sec-ch-ua: "Chromium";v="156", "Not A(Brand";v="24"',
  "sec-ch-ua-mobile: ?0",
  'sec-ch-ua-platform: "Linux"',
  "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
  "Sec-Fetch-Site: none",
  "Sec-Fetch-Mode: navigate",
  "Sec-Fetch-Dest: document",
  "Cookie: session=4f0c8d7e2b; theme=dark",
]);

/** One for an upgrade. */
export const upgradeRequest: Uint8Array = head("GET /echo HTTP/1.1", [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Origin: http://127.0.0.1:8080",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
]);
