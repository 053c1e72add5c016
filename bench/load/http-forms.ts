import { isDeepStrictEqual } from "node:util";
import { payload } from "./frames.ts";

/** What a server of requests says to a GET. */
const greeting = "Hello, world!\n";
/** The size of files, and of the bodies of uploads. */
const largeSize = 64 * 1024;

/** A request, and what the body of its response must be. */
interface RequestForm {
  readonly method: "GET" | "POST";
  readonly body?: Buffer;
  readonly isRight: (body: Buffer) => boolean;
}

const json = payload({ size: 1024, text: true, deflate: false }, 0);
/** What is in the file that servers send. */
export const fileContent: Buffer = payload({ size: largeSize, text: false, deflate: false }, 0);

const forms = {
  /** A short text. */
  get: { method: "GET", isRight: (body) => body.toString() === greeting },
  /** The server parses a document, and sends it as text again. */
  json: {
    method: "POST",
    body: json,
    isRight: (body) => isDeepStrictEqual(JSON.parse(body.toString()), JSON.parse(json.toString())),
  },
  /** The server takes a body as a whole, and says how long it is. */
  upload: { method: "POST", body: fileContent, isRight: (body) => body.toString() === `${largeSize}` },
  /** The server reads a file each time. */
  file: { method: "GET", isRight: (body) => body.equals(fileContent) },
} as const satisfies Readonly<Record<string, RequestForm>>;

/** A kind of request, by name. */
export type HttpForm = keyof typeof forms;

/** A request as it is sent; it says whether it is the last one of its connection. */
export function requestBytes(form: HttpForm, isLast: boolean): Buffer {
  const { method, body = Buffer.alloc(0) }: RequestForm = forms[form];
  const head = [
    `${method} / HTTP/1.1`,
    "Host: 127.0.0.1",
    ...(method === "POST" ? ["Content-Type: application/json", `Content-Length: ${body.length}`] : []),
    ...(isLast ? ["Connection: close"] : []),
  ];
  return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]);
}

/** Where the head of a message ends; 0 while it has not. */
export function headSize(received: Buffer): number {
  const end = received.indexOf("\r\n\r\n");
  return end === -1 ? 0 : end + 4;
}

/** The size of a response; 0 while it has not come as a whole. Throws if it is not the one expected. */
export function responseSize(form: HttpForm, received: Buffer): number {
  const start = headSize(received);
  if (start === 0) return 0;
  const head = received.toString("latin1", 0, start);
  if (!head.startsWith("HTTP/1.1 200")) throw new Error(`not the response expected: ${head}`);
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  const whole = length === undefined ? chunked(received, start) : sized(received, start, Number(length));
  if (whole === undefined) return 0;
  if (!forms[form].isRight(whole.body)) {
    throw new Error(`not the response expected: ${received.toString("latin1", 0, Math.min(whole.end, 1000))}`);
  }
  return whole.end;
}

/** A body, and where it ends in what was received. */
interface WholeBody {
  readonly body: Buffer;
  readonly end: number;
}

function sized(received: Buffer, start: number, length: number): WholeBody | undefined {
  const end = start + length;
  return received.length < end ? undefined : { body: received.subarray(start, end), end };
}

/** A body in chunks, without trailers (RFC 9112 section 7.1). */
function chunked(received: Buffer, start: number): WholeBody | undefined {
  const parts: Buffer[] = [];
  let at = start;
  for (;;) {
    const line = received.indexOf("\r\n", at);
    if (line === -1) return undefined;
    const from = line + 2;
    const size = Number.parseInt(received.toString("latin1", at, line), 16);
    if (Number.isNaN(size)) throw new Error(`a body of unknown length: ${received.toString("latin1", 0, from)}`);
    const end = from + size + 2;
    if (received.length < end) return undefined;
    if (size === 0) return { body: Buffer.concat(parts), end };
    parts.push(received.subarray(from, end - 2));
    at = end;
  }
}
