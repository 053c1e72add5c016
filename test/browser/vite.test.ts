import assert from "node:assert/strict";
import { appendFile } from "node:fs/promises";
import path from "node:path";
import { it } from "node:test";
import { Browser } from "./support/browser.ts";
import { requires } from "../support/programs.ts";
import { chats, drains, heard, join } from "../examples/support/chat.ts";
import { startExample } from "../examples/support/example.ts";

it("has a WebSocket chat beside Vite's own WebSocket", { skip: requires("chromium") }, async (t) => {
  const example = await startExample(t, "vite");
  const host = `localhost:${example.port}`;
  const url = `ws://${host}/chat`;

  await using browser = await Browser.launch();
  const page = await browser.context.newPage();
  const connected = page.waitForEvent("console", (message) => message.text() === "[vite] connected.");
  const opened = page.waitForEvent("websocket", (ws) => ws.url() === url);
  await page.goto(`http://${host}/`);
  await Promise.all([connected, opened]);

  const other = await join(url);
  const otherHears = heard(other);
  await page.getByLabel("Message").fill("hello");
  await page.getByLabel("Message").press("Enter");
  assert.equal(await otherHears, "hello");
  other.send("how are you?");
  await page.getByText("how are you?").waitFor();

  // The page hears of a file that has changed over Vite's own WebSocket.
  const reloaded = page.waitForEvent("load");
  await appendFile(path.join(example.folder, "vite", "index.html"), "<p>changed</p>\n");
  await reloaded;
  await page.getByText("changed").waitFor();

  const clients = await chats(url);
  await drains(example, [other, ...clients]);
});
