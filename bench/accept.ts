import { encodeLatin1 } from "../src/core/text.ts";
import { pair } from "../src/testing/index.ts";
import { Stream } from "../src/websocket/index.ts";
import { Settings } from "../src/websocket/internal.ts";
import { median, spread } from "./statistics.ts";

/** What Chrome sends for `new WebSocket(…)`. */
const request = encodeLatin1(
  [
    "GET /echo HTTP/1.1",
    "Host: 127.0.0.1:8080",
    "Connection: Upgrade",
    "Pragma: no-cache",
    "Cache-Control: no-cache",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
    "Upgrade: websocket",
    "Origin: http://127.0.0.1:8080",
    "Sec-WebSocket-Version: 13",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-US,en;q=0.9",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
    "",
    "",
  ].join("\r\n"),
);

const batch = 20_000;

/** Opening handshakes in memory, one after the other: the streams are made, the request read, the 101 written, and they are gone. */
export async function accept(batches: number): Promise<void> {
  const settings = new Settings({});
  await acceptMany(batch, settings);
  const perSecond: number[] = [];
  for (let i = 0; i < batches; i++) {
    const before = process.cpuUsage();
    await acceptMany(batch, settings);
    const { user, system } = process.cpuUsage(before);
    perSecond.push((batch / (user + system)) * 1e6);
  }
  console.log(`\nAccept in memory, a request as Chrome sends it (${request.length} bytes), ${batches} times ${batch}`);
  console.log(
    `  ${spread(perSecond)} per processor second, ${(1e6 / median(perSecond)).toFixed(2)} µs each; bar: 100000`,
  );
}

function acceptMany(count: number, settings: Settings): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = count;
    const acceptOne = (): void => {
      const [stream, peer] = pair();
      peer.writeSome(request, ignore);
      const ws = new Stream(stream, settings);
      ws.accept((error) => {
        // Whoever is open has a timer, which would keep it.
        ws.terminate();
        if (error !== undefined) reject(error);
        else if (--left === 0) resolve();
        else acceptOne();
      });
    };
    acceptOne();
  });
}

function ignore(): void {}
