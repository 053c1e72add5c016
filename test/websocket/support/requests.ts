// Upgrade requests, good ones and ones that break a rule.
import { createHash } from "node:crypto";
import { Request } from "../../../src/http/index.ts";

/** RFC 6455 section 1.3: the example's key, and the answer to it. */
export const key = "dGhlIHNhbXBsZSBub25jZQ==";
export const answer = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/** The answer to a key, by the recipe of RFC 6455 section 4.2.2, step 5.4: not with the code that is tested. */
export const answerTo = (key: string): string =>
  createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");

/** What is different from a good message: a field's value, its values, or that it is missing. */
export type Changes = Readonly<Record<string, string | readonly string[] | undefined>>;

const good: Changes = {
  Host: "example.com",
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Key": key,
  "Sec-WebSocket-Version": "13",
};

/** Fields with what is different about them. */
export function fieldsOf(fields: Changes, changes: Changes = {}): [string, string][] {
  return Object.entries({ ...fields, ...changes }).flatMap(([name, value]) =>
    (value === undefined ? [] : typeof value === "string" ? [value] : value).map((one): [string, string] => [
      name,
      one,
    ]),
  );
}

/** Characters up to U+00FF as bytes of their own. */
export const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** The bytes of an upgrade request. */
export function requestBytes(changes: Changes = {}, line = "GET /chat HTTP/1.1"): Uint8Array {
  const headers = fieldsOf(good, changes).map(([name, value]) => `${name}: ${value}\r\n`);
  return latin1(`${line}\r\n${headers.join("")}\r\n`);
}

/** The same as an object. */
export function requestOf(changes: Changes = {}, line = "GET /chat HTTP/1.1"): Request {
  const [method, target, version] = line.split(" ");
  return new Request({ method, target, version: version === "HTTP/1.0" ? 10 : 11, headers: fieldsOf(good, changes) });
}

/** A good request whose head has exactly `size` bytes. */
export function requestOfSize(size: number): Uint8Array {
  const empty = requestBytes({ "X-Padding": "" }).length;
  return requestBytes({ "X-Padding": "x".repeat(size - empty) });
}
