import { test } from "node:test";
import { Bystander, openMany } from "./support/client.ts";
import { plain, reset, resetAll, steps } from "./support/resets.ts";
import { Target } from "./support/target.ts";

test("connections that are reset at any step leave nothing open", (t) =>
  resetAll(t, { setup: {}, begin: plain, beginnings: [], count: 200 }));

test("connections that are reset do not affect others", async (t) => {
  const target = await Target.start(t, { kind: "echo" });
  const bystander = await Bystander.start(target);
  for (const step of Object.values(steps)) {
    await openMany(50, async () => {
      const begun = await plain(target);
      await step(begun.client);
      await reset(begun);
    });
  }
  await bystander.stop();
  await target.until(({ connections }) => connections === 0);
  await target.wasCalm(t);
});
