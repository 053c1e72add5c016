import { createRequire } from "node:module";
import { RequestParser } from "../src/http/index.ts";
import { browserRequest } from "./browser-request.ts";
import { spread } from "./statistics.ts";

/** What is used of Node's own parser, which its documentation does not mention. */
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

const batch = 50_000;

/** A request's head as a browser sends it, parsed by us and by Node's parser, in turns. */
export function parse(pairs: number): void {
  const contenders = { serval: byUs(false), "serval, every field read": byUs(true), "Node's parser": byNode() };
  const costs = Object.values(contenders).map((): number[] => []);
  for (let pair = -2; pair < pairs; pair++) {
    for (const [i, run] of Object.values(contenders).entries()) {
      const before = process.cpuUsage();
      run(batch);
      const { user, system } = process.cpuUsage(before);
      // The first rounds are for the compiler.
      if (pair >= 0) costs[i]!.push((user + system) / batch);
    }
  }
  console.log(
    `\nParsing the head of a browser's request (${browserRequest.length} bytes): processor µs each, ${pairs} times ${batch}`,
  );
  const theirs = costs.at(-1)!;
  for (const [i, name] of Object.keys(contenders).entries()) {
    const ratio =
      costs[i] === theirs ? "" : `   ratio ${spread(costs[i]!.map((cost, at) => cost / theirs[at]!))}, bar: at most 1`;
    console.log(`  ${name.padEnd(25)} ${spread(costs[i]!)}${ratio}`);
  }
}

function byUs(readsFields: boolean): (count: number) => void {
  return (count) => {
    let fields = 0;
    for (let i = 0; i < count; i++) {
      const parser = new RequestParser();
      parser.put(browserRequest);
      const request = parser.request!;
      fields += readsFields ? request.fields.raw.length / 2 : request.fields.size;
    }
    if (fields !== 16 * count) throw new Error(`${fields} fields were found`);
  };
}

function byNode(): (count: number) => void {
  const { HTTPParser } = createRequire(import.meta.url)("_http_common") as { HTTPParser: NodeParserClass };
  const parser = new HTTPParser();
  let fields = 0;
  parser.initialize(HTTPParser.REQUEST, {}, 0, 0);
  const onHead = (_major: number, _minor: number, headers: string[]): number => {
    fields += headers.length / 2;
    return 0;
  };
  parser[HTTPParser.kOnHeadersComplete] = onHead;
  for (const callback of [HTTPParser.kOnHeaders, HTTPParser.kOnBody, HTTPParser.kOnMessageComplete]) {
    parser[callback] = () => {};
  }
  return (count) => {
    fields = 0;
    for (let i = 0; i < count; i++) parser.execute(browserRequest, 0, browserRequest.length);
    if (fields !== 16 * count) throw new Error(`Node's parser found ${fields} fields`);
  };
}
