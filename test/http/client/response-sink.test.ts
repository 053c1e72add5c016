import assert from "node:assert/strict";
import { it } from "node:test";
import { encodeLatin1 } from "../../../src/core/text.ts";
import { ResponseParser, type ResponseParserOptions } from "../../../src/http/index.ts";
import { ResponseSink } from "../../../src/http/client/response-sink.ts";

const head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";

function sinkOf(
  mayTakeBody = true,
  options: ResponseParserOptions = {},
): { sink: ResponseSink; parser: ResponseParser } {
  const parser = new ResponseParser(options);
  return { sink: new ResponseSink(parser, { mayTakeBody }), parser };
}

it("takes a body that came with its head, in memory of its own, once, and nothing after it", () => {
  const { sink, parser } = sinkOf();
  const bytes = encodeLatin1(`${head}helloHTTP/1.1`);
  assert.equal(sink.put(bytes), head.length + 5);
  bytes.fill(0xdb);
  assert.deepEqual([sink.isDone, parser.isDone, sink.result().status], [true, true, 200]);
  assert.deepEqual([...sink.takeBody()!], [...encodeLatin1("hello")]);
  assert.equal(sink.takeBody(), undefined);
});

for (const [name, text, mayTakeBody, options] of [
  ["that has not come whole", `${head}hell`, true, {}],
  ["over the limit", `${head}hello`, true, { maxBodySize: 4 }],
  ["while the exchange may still end", `${head}hello`, false, {}],
  ["in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", true, {}],
  ["up to the end of the stream", "HTTP/1.1 200 OK\r\n\r\nhello", true, {}],
] as const) {
  it(`leaves a body ${name} to be read`, () => {
    const { sink, parser } = sinkOf(mayTakeBody, options);
    assert.equal(sink.put(encodeLatin1(text)), text.indexOf("\r\n\r\n") + 4);
    assert.deepEqual([sink.isDone, parser.isDone, sink.takeBody()], [true, false, undefined]);
  });
}
