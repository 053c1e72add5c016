import assert from "node:assert/strict";
import { it } from "node:test";
import { failedExample } from "./support/example.ts";

for (const [name, args, message] of [
  ["file-server", ["./public"], /^"\.\/public" is no port: the first argument is a number/],
  ["file-server", ["0", "./missing"], /^There is no folder \.\/missing to serve\n$/],
  ["http-and-websocket", ["70000"], /^"70000" is no port/],
  ["reverse-proxy", ["x"], /^"x" is no port/],
  ["reverse-proxy", ["0", "localhost"], /^"localhost" is no server to forward to: the second argument is HOST:PORT/],
  ["tls-and-plain", ["key.pem"], /^"key\.pem" is no port/],
] as const) {
  it(`${name} refuses ${args.join(" ")} with a message`, async (t) => {
    const { code, said } = await failedExample(t, name, args);
    assert.equal(code, 1);
    assert.match(said, message);
  });
}
