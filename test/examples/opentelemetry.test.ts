import assert from "node:assert/strict";
import { once } from "node:events";
import { it } from "node:test";
import { heard, join, refusal } from "./support/chat.ts";
import { startExample } from "./support/example.ts";

it("has spans and metrics of a server for OpenTelemetry", async (t) => {
  const example = await startExample(t, "opentelemetry");
  const url = `ws://localhost:${example.port}`;
  const [ann, bob] = await Promise.all([join(`${url}/ann`), join(`${url}/bob`)]);
  const bobHears = heard(bob);
  const large = "x".repeat(1_000_000);
  ann.send(large);
  assert.equal(await bobHears, large);
  ann.close(4000);
  await once(ann, "close");
  assert.equal(await refusal(`${url}/eve`, { origin: "https://elsewhere.example" }), 403);
  assert.equal(await refusal(`${url}/old`, { protocolVersion: 8 }), 426);

  const { code, output } = await example.stop();
  assert.equal(code, 0);
  // Each begins like this, as the console's exporters print them.
  const printed = output.split(/^\{\n/m);
  const spans = (name: string): string[] => printed.filter((each) => each.includes(`  name: '${name}',`));
  const one = (name: string, text: RegExp): string => {
    const found = spans(name).filter((span) => text.test(span));
    assert.equal(found.length, 1, output);
    return found[0]!;
  };

  const handshake = one("websocket handshake", /'url\.path': '\/ann'/);
  assert.match(handshake, /status: \{ code: 0 \}/);
  assert.match(handshake, /'client\.address': '(::1|(::ffff:)?127\.0\.0\.1)'/);
  const connection = one("websocket connection", /'websocket\.close_code': 4000/);
  const [, id] = /^ {2}id: '(\w+)'/m.exec(handshake)!;
  assert.match(connection, new RegExp(`parentSpanContext: \\{[^}]*spanId: '${id}'`));

  assert.match(one("websocket connection", /'websocket\.close_code': 1001/), /name: 'backpressure'/);
  assert.match(one("websocket handshake", /'url\.path': '\/eve'/), /status: \{ code: 2, message: 'origins' \}/);
  assert.match(one("websocket handshake", /'url\.path': '\/old'/), /status: \{ code: 2, message: 'malformed' \}/);
  assert.deepEqual([spans("websocket handshake").length, spans("websocket connection").length], [4, 2]);

  const metric = (name: string): string => printed.findLast((each) => each.includes(`name: '${name}'`)) ?? output;
  assert.match(metric("serval.websockets"), /value: 0\b/);
  assert.match(metric("serval.message.size"), /sum: 1000000\b.*count: 1\b/s);
  assert.match(metric("serval.refusals"), /attributes: \{ reason: 'origins' \}.*value: 1\b/s);
  assert.match(metric("serval.backpressure"), /value: [1-9]/);
});
