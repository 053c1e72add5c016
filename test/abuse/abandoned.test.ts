import assert from "node:assert/strict";
import { test } from "node:test";
import { openMany, upgradeRequest } from "./support/client.ts";
import { overTls, plain, reset } from "./support/resets.ts";
import { Target } from "./support/target.ts";

const count = 1000;

// Each of them waits for the application when it goes, and nothing is left of it before the application has answered.
for (const mounted of [false, true]) {
  for (const tls of [false, true]) {
    const how = `${mounted ? "mount" : "serve"}, ${tls ? "TLS" : "plain"}`;
    test(`clients that go while an upgrade hook is pending leave nothing open, ${how}`, async (t) => {
      const target = await Target.start(t, { kind: "echo", tls, mounted, options: { maxConnections: count } });
      const begin = tls ? overTls : plain;
      const { descriptors } = await target.ask("health");
      const open = async (path: string): Promise<Awaited<ReturnType<typeof begin>>> => {
        const begun = await begin(target);
        begun.client.send(upgradeRequest({ path }));
        return begun;
      };
      const waiting: Awaited<ReturnType<typeof open>>[] = [];
      await openMany(count, async () => void waiting.push(await open("/held")));
      await target.until(({ sockets }) => sockets === count);
      // There is no place left; serve sees that before TLS.
      const late = mounted ? await open("/") : await plain(target);
      if (!mounted) late.client.send(upgradeRequest());
      assert.equal(await late.client.status, tls && !mounted ? 0 : 503);
      late.below.destroy();
      await late.client.ended;

      // Some end their side in good order, and wait for an answer: none can come, since a WebSocket needs both.
      await Promise.all(
        waiting.map(async (begun, index) => {
          if (index % 4 > 0) return reset(begun);
          begun.client.socket.end();
          assert.equal((await begun.client.ended).code, undefined);
        }),
      );
      const { abandoned, opened, errors } = await target.until(({ connections }) => connections === 0);
      assert.deepEqual([abandoned, opened], [count, 0]);
      assert.deepEqual(errors, { "core.connection_reset": (count * 3) / 4, "websocket.closed": count / 4 });
      await target.untilHealth((health) => health.descriptors <= descriptors);
      // The application's answers come too late, and change nothing.
      assert.equal(await target.ask("release"), count);
      const { client } = await open("/");
      assert.equal(await client.status, 101);
      client.text("still there?");
      assert.equal(await client.next(), "still there?");
      await client.close();
      await target.until(({ connections }) => connections === 0);
      await target.wasCalm(t);
    });
  }
}
