import { createRequire } from "node:module";

/** What is used of Node's own parser, llhttp, which its documentation does not mention. */
interface NodeParser {
  initialize(type: number, resource: object, maxHeaderSize: number, lenient: number): void;
  execute(bytes: Uint8Array, start: number, length: number): number | Error;
  [callback: number]: unknown;
}

interface NodeParserClass {
  new (): NodeParser;
  readonly REQUEST: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
}

/** What has Node's parser parse a request, and gives how many fields it found. */
export function nodeParser(): (bytes: Uint8Array) => number {
  const { HTTPParser } = createRequire(import.meta.url)("_http_common") as { HTTPParser: NodeParserClass };
  const parser = new HTTPParser();
  let fields = 0;
  parser.initialize(HTTPParser.REQUEST, {}, 0, 0);
  parser[HTTPParser.kOnHeadersComplete] = (_major: number, _minor: number, headers: string[]): number => {
    fields = headers.length / 2;
    return 0;
  };
  for (const callback of [HTTPParser.kOnHeaders, HTTPParser.kOnBody, HTTPParser.kOnMessageComplete]) {
    parser[callback] = () => {};
  }
  return (bytes) => {
    parser.execute(bytes, 0, bytes.length);
    return fields;
  };
}
