// webpack-dev-server, which gets serval-ws by npm's overrides.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import { start } from "./support/hosts/webpack-dev-server.ts";
import { Client } from "./support/messages.ts";
import { assertOverridden } from "./support/whose.ts";

/** Waits for a message of this type, and returns its data. */
async function told(client: Client, type: string): Promise<unknown> {
  for (;;) {
    const message = JSON.parse(await client.next()) as { type: string; data?: unknown };
    if (message.type === type) return message.data;
  }
}

describe("webpack-dev-server over serval", () => {
  it("tells a page of each build", async (t) => {
    assertOverridden("webpack-dev-server");
    const folder = mkdtempSync(path.join(tmpdir(), "serval-webpack-"));
    writeFileSync(path.join(folder, "page.js"), "console.log(1)");
    const host = await start(folder);
    t.after(async () => {
      await host.close();
      rmSync(folder, { recursive: true });
    });
    const client = new Client(host.url, [], { origin: host.url.replace("ws", "http") }); // a page's;
    const first = await told(client, "hash");
    await told(client, "ok");
    writeFileSync(path.join(folder, "page.js"), "console.log(2)");
    const second = await told(client, "hash");
    await told(client, "ok");
    assert.notEqual(first, second);
  });
});
