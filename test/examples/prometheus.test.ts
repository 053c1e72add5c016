import assert from "node:assert/strict";
import { once } from "node:events";
import { it } from "node:test";
import { drains, heard, join, refusal } from "./support/chat.ts";
import { startExample } from "./support/example.ts";

it("has a server's statistics for Prometheus", async (t) => {
  const example = await startExample(t, "prometheus");
  const host = `localhost:${example.port}`;
  const [ann, bob, eve] = await Promise.all(["ann", "bob", "eve"].map((name) => join(`ws://${host}/${name}`)));
  const bobHears = heard(bob!);
  ann!.send("hello");
  assert.equal(await bobHears, "hello");
  eve!.close(4000);
  await once(eve!, "close");
  assert.equal(await refusal(`ws://${host}/`, { origin: "https://elsewhere.example" }), 403);
  assert.equal((await fetch(`http://${host}/nothing`)).status, 404);

  const answer = await fetch(`http://${host}/metrics`);
  assert.match(answer.headers.get("Content-Type")!, /^text\/plain; version=/);
  const text = await answer.text();
  const samples = new Map([...text.matchAll(/^(\w+(?:\{.*\})?) (\d+)$/gm)].map(([, name, value]) => [name, value]));
  const expected = {
    serval_websockets: "2",
    serval_subscriptions: "2",
    serval_buffered_bytes: "0",
    serval_opened_total: "3",
    serval_requests_total: "2",
    serval_messages_received_total: "1",
    serval_messages_sent_total: "2",
    'serval_closed_total{code="4000"}': "1",
    'serval_refused_total{reason="origins"}': "1",
    'serval_refused_total{reason="draining"}': "0",
    'serval_limits_total{limit="maxMessageSize"}': "0",
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(samples.get(name), value, `${name} in\n${text}`);
  assert.match(text, /^# TYPE serval_websockets gauge$/m);
  assert.match(text, /^# TYPE serval_closed_total counter$/m);

  // Totals are what they are, however often they are read.
  assert.match(await (await fetch(`http://${host}/metrics`)).text(), /^serval_opened_total 3$/m);
  await drains(example, [ann!, bob!]);
});
