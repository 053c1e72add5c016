import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Locator, Page } from "playwright-core";
import { Command } from "../cli/command.ts";
import { requires } from "../system/programs.ts";
import { Browser } from "./browser.ts";

describe("the page in Chromium", { skip: requires("chromium") }, () => {
  let server: Command;
  let url: string;
  let browser: Browser;
  let page: Page;
  /** What the console says: errors, and violations of the page's policy among them. */
  let complaints: string[];

  before(async () => {
    server = new Command("serve", "--port", "0");
    url = await server.url();
    browser = await Browser.launch();
  });

  after(async () => {
    await browser?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  beforeEach(async () => {
    await page?.close();
    page = await browser.context.newPage();
    complaints = [];
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(url);
    await state("open").waitFor();
  });

  const state = (text: string): Locator => page.getByRole("status").getByText(text, { exact: true });
  const message = (): Locator => page.getByLabel("Message", { exact: true });
  const button = (name: string): Locator => page.getByRole("button", { name });
  /** The n-th entry of the log, counted from 1, that was sent or received, or is a problem or event. */
  const entry = (way: string, n = 1): Locator =>
    page
      .getByRole("log")
      .locator(`[data-way=${way}]`)
      .nth(n - 1);
  const region = (name: RegExp): Locator => page.getByRole("region", { name });

  it("connects, and sees its text come back", async () => {
    await message().fill("Grüße, 世界 😀");
    await message().press("Enter");
    await entry("received").waitFor();
    for (const way of ["sent", "received"]) {
      assert.equal(await entry(way).locator("pre").textContent(), "Grüße, 世界 😀");
      assert.match((await entry(way).textContent())!, /text20 bytes/);
      assert.match((await entry(way).textContent())!, /\+[\d,]+\.\d ms\d\d:\d\d:\d\d\.\d{3}/);
    }
    assert.match((await entry("received").textContent())!, /back after \d+\.\d ms/);
    assert.equal(await message().inputValue(), "");
    assert.deepEqual(complaints, []);
  });

  it("sends bytes written in hexadecimal, and shows them as such", async () => {
    // By keyboard alone.
    await page.getByRole("radio", { name: "Text" }).focus();
    await page.keyboard.press("ArrowRight");
    await message().fill("0x48 65,6c:6c6f 00 ff");
    await message().press("Enter");
    await entry("received").waitFor();
    const [line] = (await entry("received").locator("pre").textContent())!.split("\n");
    assert.match(line!, /^0000 {2}48 65 6c 6c 6f 00 ff +Hello··$/);
    assert.match((await entry("received").textContent())!, /binary7 bytes/);
    assert.deepEqual(complaints, []);
  });

  it("says what is wrong with hexadecimal that is none, and sends nothing", async () => {
    await page.getByRole("radio", { name: "Binary" }).check({ force: true });
    for (const [written, objection] of [
      ["48 6x", "“x” is no hexadecimal digit. Bytes are written like 48 65 6c."],
      ["48 6", "Each byte takes two digits; the last has one."],
    ] as const) {
      await message().fill(written);
      await message().press("Enter");
      await page.getByRole("alert").getByText(objection).waitFor();
      assert.equal(await message().inputValue(), written);
    }
    assert.equal(await entry("sent").count(), 0);
  });

  it("sends a file, and shows its beginning and its size", async () => {
    await page.locator("input[type=file]").setInputFiles({
      name: "file",
      mimeType: "application/octet-stream",
      buffer: Buffer.alloc(1_000_000, 0xab),
    });
    await entry("received").waitFor();
    const text = (await entry("received").textContent())!;
    assert.match(text, /binary1,000,000 bytes/);
    assert.match(text, /The first 256 bytes of 1,000,000\./);
    assert.equal(text.match(/\bab\b/g)?.length, 256);
  });

  it("takes a file that is dropped", async () => {
    const transfer = await page.evaluateHandle(
      `{ const transfer = new DataTransfer(); transfer.items.add(new File(["dropped"], "a.txt")); transfer; }`,
    );
    await page.getByRole("form", { name: "Send a message" }).dispatchEvent("drop", { dataTransfer: transfer });
    await entry("received").waitFor();
    assert.match((await entry("received").locator("pre").textContent())!, /64 72 6f 70 70 65 64 +dropped$/);
  });

  it("shows the handshake as it went over the wire", async () => {
    await region(/^Response/)
      .getByText("101")
      .waitFor();
    const request = (await region(/^Request/).textContent())!;
    assert.match(request, /^GET \/echo\?id=[\da-f]{16} HTTP\/1\.1\n/);
    assert.match(request, new RegExp(`^Host: ${new URL(url).host}$`, "m"));
    assert.match(request, new RegExp(`^Origin: ${url}$`, "m"));
    assert.match(request, /^Sec-WebSocket-Key: [\w+/]{22}==$/m);
    assert.match(request, /^Sec-WebSocket-Version: 13$/m);
    const response = (await region(/^Response/).textContent())!;
    const lines =
      /^HTTP\/1\.1 101 Switching Protocols\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Accept: .{27}=$/;
    assert.match(response, lines);
  });

  it("closes with a code and reason, says so, and connects again", async () => {
    await page.getByLabel("Close code").fill("1001");
    await button("Disconnect").click();
    await page.getByRole("alert").getByText("A page may close with 1000, or 3000 to 4999.").waitFor();
    await page.getByLabel("Close code").fill("4321");
    await page.getByLabel("Reason").fill("seen enough");
    await button("Disconnect").click();
    await state("closed, 4321").waitFor();
    assert.match((await entry("sent").textContent())!, /close4321.*seen enough$/);
    assert.match((await entry("event", 2).textContent())!, /^closed4321clean/);
    assert.ok(await button("Send").first().isDisabled());
    await message().fill("to nobody");
    await message().press("Enter");
    await page.getByRole("alert").getByText("Not connected: nothing was sent.").waitFor();
    await button("Connect").click();
    await state("open").waitFor();
    await message().press("Enter");
    assert.equal(await entry("received").locator("pre").textContent(), "to nobody");
    assert.deepEqual(complaints, []);
  });

  it("shows text that looks like markup as text", async () => {
    const markup = `<img src=x onerror="alert(1)"><script>alert(2)</script>`;
    await message().fill(markup);
    await message().press("Enter");
    assert.equal(await entry("received").locator("pre").textContent(), markup);
    assert.equal(await page.getByRole("log").locator("img, script").count(), 0);
    assert.deepEqual(complaints, []);
  });

  it("fits the width of a phone", async () => {
    await page.setViewportSize({ width: 375, height: 700 });
    await message().fill("x".repeat(300));
    await message().press("Enter");
    await entry("received").waitFor();
    assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 375);
  });

  it("says that the server went away, and that it can't be reached", async () => {
    // The last test with this server.
    server.kill("SIGTERM");
    await state("closed, 1001").waitFor();
    assert.match((await entry("event", 2).textContent())!, /^closed1001going awayclean/);
    assert.equal((await server.ended).code, 0);
    await button("Connect").click();
    await state("not connected").waitFor();
    assert.match((await entry("problem").textContent())!, /^failed to connect1006lost without a close frame/);
  });
});
