import assert from "node:assert/strict";
import { it } from "node:test";
import { coreError } from "../../../src/core/index.ts";
import { asksToSwitch, RequestExchange, type ExchangeOwner } from "../../../src/http/server/exchange.ts";
import { Request, Response, type IncomingRequest, type RequestInit } from "../../../src/http/index.ts";
import { quiet } from "../../support/quiet.ts";
import { get, Serving } from "../support/serving.ts";

function exchangeOf(init: RequestInit = {}): RequestExchange {
  return new RequestExchange(new Request(init) as IncomingRequest, {} as ExchangeOwner);
}

it("aborts with the first error, not inside the call, and at once if asked for later", async () => {
  const [first, second] = [coreError("core.connection_reset"), coreError("core.aborted")];
  const exchange = exchangeOf();
  const { signal } = exchange;
  assert.equal(exchange.signal, signal);
  exchange.fail(first);
  exchange.fail(second);
  assert.equal(signal.aborted, false);
  await undefined;
  assert.equal(signal.reason, first);
  const late = exchangeOf();
  late.fail(second);
  assert.equal(late.signal.reason, second);
});

it("releases the stream once, while it is answered, if the request asks for another protocol", async () => {
  const released: string[] = [];
  const release = ({ release }: { release(): Uint8Array }): void => {
    try {
      released.push(Buffer.from(release()).toString());
    } catch (error) {
      released.push((error as { code: string }).code);
    }
  };
  let last!: { release(): Uint8Array };
  const serving = new Serving((request, exchange) => {
    last = { release: () => exchange.release() };
    release(last);
    return request.target === "/" ? undefined : new Response();
  });
  await serving.send(get("/plain"));
  release(last);
  await serving.send(`${get("/", "Upgrade: x\r\n")}more`);
  release(last);
  await quiet();
  const misuse = "core.invalid_argument";
  assert.deepEqual(released, [misuse, misuse, "more", misuse]);
  assert.deepEqual([serving.completions, serving.stream.closed], [1, false]);
});

it("a request asks for another protocol by Upgrade, and by CONNECT", () => {
  assert.ok(asksToSwitch(new Request({ headers: { Upgrade: "x" } })));
  assert.ok(asksToSwitch(new Request({ method: "CONNECT" })));
  assert.ok(!asksToSwitch(new Request({ headers: { Connection: "upgrade" } })));
});
