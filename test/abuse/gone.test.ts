// Clients that go away while the application works for them.
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { openMany } from "./support/client.ts";
import { overTls, plain, reset, type Begin } from "./support/resets.ts";
import { Target } from "./support/target.ts";
import type { Setup } from "./support/setup.ts";

const get = (target: string, headers = ""): string => `GET ${target} HTTP/1.1\r\nHost: h\r\n${headers}\r\n`;
const post = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe";

/** What is asked for, and what the client still sends once that is being worked at. */
const requests: [request: string, more: string][] = [
  [get("/"), ""],
  [get("/part"), ""],
  [get("/", "Connection: close\r\n"), ""],
  [post, ""],
  [get("/"), get("/")],
  [get("/") + get("/"), "GET"],
];

/**
 * Has a thousand clients go away while `fetch` works for them, never more than `maxConnections` at once. They leave no socket,
 * timer or descriptor, and no place is taken by one that has gone.
 */
async function goAway(
  t: TestContext,
  { begin, setup = {}, go }: { begin: Begin; setup?: Partial<Setup>; go: typeof reset },
): Promise<void> {
  const atOnce = 50;
  const options = { ...setup.options, maxConnections: atOnce };
  const target = await Target.start(t, { kind: "hang", counts: true, ...setup, options });
  const before = await target.ask("health");
  let gone = 0;
  let asked = 0;
  for (let round = 0; gone < 1000; round++) {
    const [request, more] = requests[round % requests.length]!;
    const begun = await openMany(atOnce, async () => {
      const one = await begin(target);
      one.client.send(request);
      return one;
    });
    asked += atOnce;
    await target.until(({ requests }) => requests === asked);
    for (const { client } of begun) if (more !== "") client.send(more);
    await Promise.all(begun.map((one) => go(one)));
    gone += atOnce;
    await target.until(({ connections, abandoned }) => connections === 0 && abandoned === gone);
  }
  const { refused, accepted } = await target.stats();
  assert.deepEqual([refused.maxConnections, accepted], [0, gone]);
  const { handles, timers, descriptors } = before;
  await target.untilHealth((now) => now.handles === handles && now.timers === timers && now.descriptors <= descriptors);
  await target.wasCalm(t);
}

test("a thousand clients that reset while fetch works for them leave nothing", (t) =>
  goAway(t, { begin: plain, go: reset }));

test("nor do a thousand over TLS", (t) => goAway(t, { begin: overTls, setup: { tls: true }, go: reset }));

test("nor do a thousand that end, once they would have been idle for too long", (t) =>
  goAway(t, {
    begin: plain,
    setup: { options: { timeouts: { keepAlive: 100 } } },
    go: async ({ client, below }) => {
      below.end();
      await client.ended;
    },
  }));
