// The parser of Node.
import { decodeLatin1 } from "../../../src/core/text.ts";
import { bytesOf } from "../../http/support/samples.ts";
import { bodyAnswer, methodNames, require } from "./http-llhttp.ts";
import type { Head, Input, Seen } from "./http-seen.ts";

/** The part of Node's binding that is used here. */
interface NodeParser {
  [callback: number]: (...args: never[]) => number | void;
  initialize(type: number, resource: object): void;
  execute(bytes: Uint8Array): number | NodeParserError;
  finish(): NodeParserError | undefined;
}
interface NodeParserError extends Error {
  code: string;
}

// The path is Node's own business, and where node:http has its parser from in all versions so far.
const { HTTPParser } = require("node:_http_common") as {
  HTTPParser: (new () => NodeParser) & Record<string, number>;
};

/** Stands for the code where Node's binding tells of nothing but that it stopped: in a request with Upgrade. */
export const untold = "(untold)";

/** Node's, byte by byte: so it is seen where a message ends, and what does not depend on how the input was split. */
export function node(input: Input): Seen {
  const parser = new HTTPParser();
  let head: Head | undefined;
  let headers: string[] = [];
  let target = "";
  let body = "";
  let isWhole = false;
  parser.initialize(input.kind === "request" ? HTTPParser.REQUEST! : HTTPParser.RESPONSE!, {});
  parser[HTTPParser.kOnHeaders!] = (more: string[], url: string) => {
    headers.push(...more);
    target += url;
  };
  parser[HTTPParser.kOnHeadersComplete!] = (
    major: number,
    minor: number,
    more: string[] | undefined,
    method: number,
    url: string | undefined,
    status: number,
    reason: string,
    upgrade: boolean,
  ) => {
    headers.push(...(more ?? []));
    const version = `${major}.${minor}`;
    const start: Head["start"] =
      input.kind === "request"
        ? [methodNames.get(method) ?? String(method), url ?? target, version]
        : [String(status), reason, version];
    head = { start, headers };
    headers = [];
    return bodyAnswer(input, status, upgrade);
  };
  parser[HTTPParser.kOnBody!] = (bytes: Uint8Array) => {
    body += decodeLatin1(bytes, 0, bytes.length);
  };
  parser[HTTPParser.kOnMessageComplete!] = () => {
    isWhole = true;
  };
  const result = (end: Seen["end"], at: number, code?: string): Seen => ({
    end,
    ...(code !== undefined && { code }),
    at,
    ...(head !== undefined && { head }),
    body,
    trailers: isWhole ? headers : [],
  });
  const bytes = bytesOf(input.text);
  for (let at = 0; at < bytes.length; at++) {
    const used = parser.execute(bytes.subarray(at, at + 1));
    if (isWhole) return result("whole", at + 1);
    if (typeof used !== "number") return result("refused", at, used.code);
    if (used !== 1) return result("refused", at, untold);
  }
  parser.finish();
  return result(isWhole ? "whole" : "unfinished", bytes.length);
}
