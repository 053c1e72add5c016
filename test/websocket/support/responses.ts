// What servers answer an upgrade request with, good answers and ones that break a rule.
import { Response } from "../../../src/http/index.ts";
import { answer, answerTo, fieldsOf, latin1, type Changes } from "./requests.ts";

const good: Changes = { Upgrade: "websocket", Connection: "Upgrade", "Sec-WebSocket-Accept": answer };

/** The status line of a server that agrees. */
export const switching = "HTTP/1.1 101 Switching Protocols";

/** The bytes of an answer to the key of RFC 6455's example, unless `changes` say otherwise. */
export function responseBytes(changes: Changes = {}, line = switching, body = ""): Uint8Array {
  const headers = fieldsOf(good, changes).map(([name, value]) => `${name}: ${value}\r\n`);
  return latin1(`${line}\r\n${headers.join("")}\r\n${body}`);
}

/** The same as an object. */
export function responseOf(changes: Changes = {}, line = switching): Response {
  const [version, status, ...reason] = line.split(" ");
  return new Response({
    status: Number(status),
    reason: reason.join(" "),
    version: version === "HTTP/1.0" ? 10 : 11,
    headers: fieldsOf(good, changes),
  });
}

/** The bytes of an answer to this key, unless `changes` say otherwise. */
export function responseToKey(key: string, changes: Changes = {}, line = switching): Uint8Array {
  return responseBytes({ "Sec-WebSocket-Accept": answerTo(key), ...changes }, line);
}
