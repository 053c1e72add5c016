import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { text as streamText } from "node:stream/consumers";
import { after, before, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Locator, Page } from "playwright-core";
import { serve } from "../../src/server/index.ts";
import { http } from "../../src/index.ts";
import type { StreamOptions } from "../../src/websocket/index.ts";
import { Command } from "../cli/support/command.ts";
import { freePort } from "../support/free-port.ts";
import { requires } from "../support/programs.ts";
import { Browser } from "./support/browser.ts";

/** The program of the command `serval`. */
const servalMain = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

describe("the page in Chromium", { skip: requires("chromium") }, () => {
  let server: Command;
  let url: string;
  let browser: Browser;
  let page: Page;
  /** What the console says: errors, and violations of the page's policy among them. */
  let complaints: string[];

  before(async () => {
    server = new Command("serve", "--port", "0", "--deflate");
    url = await server.url();
    browser = await Browser.launch();
    await browser.context.grantPermissions(["clipboard-read", "clipboard-write"]);
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

  const form = (name: string): Locator => page.getByRole("form", { name });
  const state = (text: string): Locator => form("Connection").getByText(text, { exact: true });
  const message = (): Locator => page.getByLabel("Message", { exact: true });
  const button = (name: string): Locator => page.getByRole("button", { name, exact: true });
  const tab = (n: number): Locator => page.getByRole("tab", { name: `Connection ${n}:` });
  const region = (name: string | RegExp): Locator => page.getByRole("region", { name });
  const text = async (locator: Locator): Promise<string> => (await locator.textContent())!;
  const objection = (words: string): Locator => page.getByRole("alert").getByText(words);
  /** The n-th entry of the log, counted from 1, that was sent or received, or is a problem, an event or a gap. */
  const entry = (way: string, n = 1): Locator =>
    page
      .getByRole("log")
      .locator(`[data-way=${way}]`)
      .nth(n - 1);
  /** What stands in a row of a table, behind its heading. */
  const row = async (name: string): Promise<string[]> => {
    const cells = page.getByRole("row", { name }).getByRole("cell");
    return cells.allTextContents();
  };
  /** Waits until an expression is true in the page, which is asked at each of its frames; fails if it does not come to that. */
  const until = async (expression: string): Promise<void> => {
    const held = await page.evaluate(`new Promise((resolve) => {
      const end = performance.now() + 60_000;
      const look = () => {
        if (${expression}) resolve(true);
        else if (performance.now() > end) resolve(false);
        else requestAnimationFrame(look);
      };
      look();
    })`);
    assert.ok(held, `it never held in the page: ${expression}`);
  };
  const say = async (words: string): Promise<void> => {
    await message().fill(words);
    await message().press("Enter");
  };
  /** Opens a connection of its own, by keyboard. */
  const connect = async (to: string, protocols = ""): Promise<void> => {
    await page.keyboard.press("Alt+n");
    await page.keyboard.type(to);
    await page.keyboard.press("Tab");
    await page.keyboard.type(protocols);
    await page.keyboard.press("Enter");
  };
  /** Another server, while the test goes on. */
  const another = async (options: StreamOptions): Promise<{ url: string } & AsyncDisposable> => {
    const other = await serve({ port: 0, host: "127.0.0.1", origins: [url], ...options });
    return { url: `ws://127.0.0.1:${other.port}/`, [Symbol.asyncDispose]: () => other.close() };
  };

  describe("messages", () => {
    it("connects, and shows the echo of its text", async () => {
      await say("Grüße, 世界 😀");
      await entry("received").waitFor();
      for (const way of ["sent", "received"]) {
        assert.equal(await text(entry(way).locator("pre")), "Grüße, 世界 😀");
        assert.match(await text(entry(way)), /^\d\d:\d\d:\d\d\.\d{3}. (sent|received)text20 bytes/);
      }
      assert.match(await text(entry("received")), /back after [\d.]+ ms/);
      assert.equal(await message().inputValue(), "");
      assert.deepEqual(complaints, []);
    });

    it("sends bytes written in hexadecimal, and shows them as such", async () => {
      // By keyboard alone.
      await page.getByRole("radio", { name: "Text" }).focus();
      await page.keyboard.press("ArrowRight");
      await say("0x48 65,6c:6c6f 00 ff 01 02");
      await entry("received").waitFor();
      const line = await text(entry("received").locator("pre"));
      assert.match(line, /^00000000 {2}48 65 6c 6c 6f 00 ff 01 {2}02 +Hello····$/);
      assert.match(await text(entry("received")), /binary9 bytes/);
      assert.deepEqual(complaints, []);
    });

    it("says what is wrong with its input, and sends nothing", async () => {
      await page.getByRole("radio", { name: "Binary" }).check({ force: true });
      for (const [written, words] of [
        ["48 6x", "“x” is not a hexadecimal digit. Bytes look like 48 65 6c."],
        ["48 6", "Each byte takes two digits; the last one has only one."],
      ] as const) {
        await say(written);
        await objection(words).waitFor();
        assert.equal(await message().inputValue(), written);
      }
      await page.getByRole("radio", { name: "Text" }).check({ force: true });
      await page.getByLabel("Times").fill("10001");
      await say("often");
      await objection("A message can be sent 1 to 10,000 times at once.").waitFor();
      assert.equal(await entry("sent").count(), 0);
    });

    it("sends a file; shows its size and beginning, and all of it when asked", async () => {
      const size = 200_000;
      const [file] = [{ name: "file", mimeType: "application/octet-stream", buffer: Buffer.alloc(size, 0xab) }];
      file.buffer[size - 1] = 0x21;
      await page.locator("input[type=file]").setInputFiles(file);
      await entry("received").waitFor();
      const shown = await text(entry("received"));
      assert.match(shown, /binary200,000 bytes/);
      assert.match(shown, /The first 256 bytes of 200,000\./);
      assert.equal(shown.match(/\bab\b/g)?.length, 256);

      await entry("received").getByRole("button", { name: "Show all" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByText("1 to 65,536 of 200,000 bytes").waitFor();
      for (let i = 0; i < 3; i++) await dialog.getByRole("button", { name: "Later" }).click();
      await dialog.getByText("196,609 to 200,000 of 200,000 bytes").waitFor();
      assert.match(await text(dialog.getByRole("region")), /^00030000 {2}ab.* ab 21 +·+!$/s);
      assert.ok(await dialog.getByRole("button", { name: "Later" }).isDisabled());
      const download = page.waitForEvent("download");
      await dialog.getByRole("button", { name: "Save as a file" }).click();
      const chunks: Buffer[] = [];
      for await (const chunk of (await (await download).createReadStream()) as AsyncIterable<Buffer>)
        chunks.push(chunk);
      assert.deepEqual(Buffer.concat(chunks), file.buffer);
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "hidden" });
      assert.deepEqual(complaints, []);
    });

    it("sends a file that is dropped", async () => {
      const transfer = await page.evaluateHandle(
        `{ const transfer = new DataTransfer(); transfer.items.add(new File(["dropped"], "a.txt")); transfer; }`,
      );
      await form("Send a message").dispatchEvent("drop", { dataTransfer: transfer });
      await entry("received").waitFor();
      assert.match(await text(entry("received").locator("pre")), /64 72 6f 70 70 65 64 +dropped$/);
    });

    it("cuts long text, and shows all of it when asked", async () => {
      const long = `${"x".repeat(2_999)}y`;
      await say(long);
      await entry("received").waitFor();
      assert.equal(await text(entry("received").locator("pre")), "x".repeat(1_000));
      await entry("received").getByRole("button", { name: "Show all" }).click();
      assert.equal(await text(page.getByRole("dialog").getByRole("region")), long);
      await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
      await page.getByRole("dialog").waitFor({ state: "hidden" });
      assert.deepEqual(complaints, []);
    });

    it("shows markup in text as text, wherever it appears", async () => {
      const markup = `<img src=x onerror="alert(1)"><script>alert(2)</script>`;
      await using other = await another({
        upgrade: () => ({ protocol: "it" }),
        message: (ws, message) => {
          ws.send(message);
          void ws.close({ code: 4000, reason: String(message) });
        },
      });
      await connect(other.url, "it");
      await state("open").waitFor();
      await say(markup);
      await state("closed, 4000").waitFor();
      assert.equal(await text(entry("received").locator("pre")), markup);
      assert.equal(await text(entry("event", 2).locator("pre")), markup);
      await form("Close").getByText(`Reason: ${markup}`).waitFor();
      assert.equal(await page.locator("main :is(img, script)").count(), 0);
      assert.deepEqual(complaints, []);
    });

    it("brings back earlier messages with the arrow keys", async () => {
      await say("first");
      await page.getByRole("radio", { name: "Binary" }).check({ force: true });
      await say("0102");
      await page.getByRole("radio", { name: "Text" }).check({ force: true });
      await message().fill("draft");
      await message().press("ArrowUp");
      assert.equal(await message().inputValue(), "0102");
      assert.ok(await page.getByRole("radio", { name: "Binary" }).isChecked());
      await message().press("ArrowUp");
      await message().press("ArrowUp");
      assert.equal(await message().inputValue(), "first");
      await message().press("ArrowDown");
      await message().press("ArrowDown");
      assert.equal(await message().inputValue(), "draft");
      assert.ok(await page.getByRole("radio", { name: "Text" }).isChecked());
      await message().press("ArrowDown");
      assert.equal(await message().inputValue(), "draft");
    });

    it("filters, copies and clears the log", async () => {
      await say("apple");
      await say("pear");
      await entry("received", 2).waitFor();
      const log = page.getByRole("log");
      await page.getByLabel("Filter").fill("APP");
      assert.deepEqual(await log.locator("pre").allTextContents(), ["apple", "apple"]);
      await page.getByLabel("Show", { exact: true }).selectOption("received");
      assert.equal(await log.locator("[data-way]").count(), 1);
      await button("Copy").click();
      await button("Copied").waitFor();
      const copied = (await page.evaluate("navigator.clipboard.readText()")) as string;
      assert.match(copied, /^[\d:.]+ {2}↓ received {2}text {2}5 bytes {2}back after .* ms\napple\n$/);
      await page.getByLabel("Filter").fill("");
      await page.getByLabel("Show", { exact: true }).selectOption("events");
      assert.match(await text(log), /^[\d:.]+openafter [\d.]+ ms$/);
      await button("Clear").click();
      await page.getByLabel("Show", { exact: true }).selectOption("all");
      assert.equal(await log.locator("[data-way]").count(), 0);
      assert.deepEqual(complaints, []);
    });

    it("stays bounded and responsive in a flood of messages", async () => {
      const count = 10_000;
      await using other = await another({
        message: (ws) => {
          for (let i = 0; i < count; i++) ws.send(`message ${i}`);
          ws.send("the end");
        },
      });
      await connect(other.url);
      await state("open").waitFor();
      await say("go");
      await message().fill("typed meanwhile");
      await page.getByRole("log").getByText("the end", { exact: true }).waitFor();
      await until(`document.querySelector("[data-part=receivedRow]").cells[3].textContent === "10,001"`);
      assert.ok((await page.getByRole("log").locator("[data-way]").count()) <= 1_000);
      assert.match(await text(entry("skipped")), /[\d,]+ messages? not shown.*too many at once/);
      assert.equal(await text(page.getByRole("log").locator("[data-way]").last().locator("pre")), "the end");
      assert.equal(await message().inputValue(), "typed meanwhile");
      assert.deepEqual(complaints, []);
    });

    it("keeps a thousand entries at most, the newest", async () => {
      await using other = await another({
        message: (ws, message) => ws.write(message),
      });
      await connect(other.url);
      await state("open").waitFor();
      // At the pace of the page: no more of them wait than are shown at once.
      await page.getByLabel("Times").fill("13");
      await page.evaluate(`(async () => {
        const content = document.querySelector("[data-part=content]");
        const last = () => [...document.querySelectorAll("[role=log] [data-way=received] pre")].at(-1)?.textContent;
        for (let i = 1; i <= 40; i++) {
          content.value = "round " + i;
          content.form.requestSubmit();
          while (last() !== "round " + i) await new Promise(requestAnimationFrame);
        }
      })()`);
      await until(`document.querySelector("[data-part=receivedRow]").cells[3].textContent === "520"`);
      await until(`document.querySelectorAll("[role=log] > *").length === 1000`);
      assert.equal(await page.getByRole("log").getByText("round 1", { exact: true }).count(), 0);
      assert.deepEqual(complaints, []);
    });
  });

  describe("connections", () => {
    it("shows the bytes of the handshake, and what was negotiated", async () => {
      await region(/^Response/)
        .getByText("101")
        .waitFor();
      const request = await text(region(/^Request/));
      assert.match(request, /^GET \/echo\?id=[\da-f]{16} HTTP\/1\.1\n/);
      assert.match(request, new RegExp(`^Host: ${new URL(url).host}$`, "m"));
      assert.match(request, new RegExp(`^Origin: ${url}$`, "m"));
      assert.match(request, /^Sec-WebSocket-Key: [\w+/]{22}==$/m);
      assert.match(request, /^Sec-WebSocket-Version: 13$/m);
      assert.match(
        await text(region(/^Response/)),
        /^HTTP\/1\.1 101 Switching Protocols\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Accept: .{27}=\n/,
      );
      assert.match(await text(region("State")), /Subprotocol\s*none\s*Extensions\s*permessage-deflate/);
    });

    it("offers subprotocols, and shows which one was chosen", async () => {
      await connect(`${url}/echo`, "chat.v2, chat.v1");
      await state("open").waitFor();
      await region(/^Request/)
        .getByText(": chat.v2, chat.v1")
        .waitFor();
      assert.match(await text(region("State")), /Offered\s*chat\.v2, chat\.v1\s*Subprotocol\s*chat\.v2\s/);
      assert.match(await text(entry("event")), /subprotocol chat\.v2/);
      assert.deepEqual(complaints, []);
    });

    it("says what is wrong with a URL or subprotocol", async () => {
      await page.keyboard.press("Alt+n");
      for (const [target, protocols, words] of [
        ["ws://", "", "This is not a URL."],
        ["ftp://host/", "", "“ftp:” is not the scheme of a WebSocket"],
        ["ws://127.0.0.1/", "a/b", "subprotocol"],
      ] as const) {
        await page.getByLabel("URL").fill(target);
        await page.getByLabel("Subprotocols to offer").fill(protocols);
        await page.keyboard.press("Enter");
        await objection(words).waitFor();
        await state("not connected").waitFor();
      }
    });

    it("has several connections, each with its own log and state", async () => {
      await using other = await another({ message: (ws, message) => ws.write(`other: ${String(message)}`) });
      await say("to the first");
      await connect(other.url);
      await state("open").waitFor();
      await say("to the second");
      await entry("received").waitFor();
      assert.deepEqual(await page.getByRole("log").locator("pre").allTextContents(), [
        "to the second",
        "other: to the second",
      ]);
      // What its server alone can know.
      assert.match(await text(region(/^Request/)), /^Browsers hide/);
      await message().fill("a draft");

      await tab(1).click();
      assert.deepEqual(await page.getByRole("log").locator("pre").allTextContents(), ["to the first", "to the first"]);
      assert.equal(await message().inputValue(), "");
      assert.equal(await tab(1).getAttribute("aria-selected"), "true");
      await tab(2).click();
      assert.equal(await message().inputValue(), "a draft");
      await button("Disconnect").click();
      await state("closed, 1000").waitFor();
      await page.getByRole("status").getByText("Connection 2: closed, 1000").waitFor();
      await button("Remove connection 2").click();
      assert.equal(await page.getByRole("tab").count(), 1);
      await state("open").waitFor();
      assert.deepEqual(complaints, []);
    });

    it("marks messages that arrive while another connection is shown", async () => {
      let speak = (): void => {};
      await using other = await another({
        open: (ws) => (speak = (): void => void ws.send("psst")),
        message: (ws, message) => ws.write(message),
      });
      await connect(other.url);
      await state("open").waitFor();
      await page.keyboard.press("Alt+ArrowUp");
      speak();
      await page.getByRole("tab", { name: "open, new messages" }).click();
      await page.getByRole("log").getByText("psst").waitFor();
      assert.equal(await page.getByRole("tab", { name: "new messages" }).count(), 0);
    });

    it("closes with a code and reason, says so, and connects again", async () => {
      await page.getByLabel("Close code").fill("1001");
      await button("Close").click();
      await objection("A page may close with 1000, or with 3000 to 4999.").waitFor();
      await page.getByLabel("Close code").fill("4321");
      await page.getByLabel("Reason").fill("é".repeat(62));
      await button("Close").click();
      await objection("A reason has at most 123 bytes.").waitFor();
      await page.getByLabel("Reason").fill("seen enough");
      await button("Close").click();
      await state("closed, 4321").waitFor();
      assert.match(await text(entry("event", 2)), /close sent4321private useseen enough$/);
      assert.match(await text(entry("event", 3)), /closed4321private useclean$/);
      await form("Close").getByText("Closed: 4321 private use, clean. The peer gave no reason.").waitFor();
      assert.ok(await button("Send").isDisabled());
      await say("to nobody");
      await objection("Nothing was sent: there is no connection.").waitFor();
      await button("Connect").click();
      await state("open").waitFor();
      await message().press("Enter");
      await entry("received").waitFor();
      assert.equal(await text(entry("received").locator("pre")), "to nobody");
      assert.deepEqual(complaints, []);
    });

    it("measures round trips, its own and the server's, and counts messages", async () => {
      await say("one");
      // Both rows have all four numbers, and both plots their lines.
      await until(`["echoRow", "pingRow"].every((part) =>
        [...document.querySelector("[data-part=" + part + "]").cells].slice(1).every((cell) => Number(cell.textContent) > 0))`);
      for (const name of ["Echo", "Ping"]) {
        const [, min, median, max] = (await row(name)).map(Number);
        assert.ok(min! <= median! && median! <= max!, name);
      }
      const lines = "path.line.echo, path.line.ping";
      assert.equal(await page.getByRole("img", { name: "Round trips" }).locator(lines).count(), 2);
      assert.equal(await page.getByRole("img", { name: "Messages a second" }).locator("path.line").count(), 2);
      assert.deepEqual((await row("Sent")).slice(2), ["1", "3 B"]);
      assert.deepEqual((await row("Received")).slice(2), ["1", "3 B"]);
      assert.match(await text(region("State")), /Wire, sent\s*\d+ B\s*Wire, received\s*\d+ B/);
      // The probes are in no log.
      assert.deepEqual(await page.getByRole("log").locator("pre").allTextContents(), ["one", "one"]);
      assert.deepEqual(complaints, []);
    });

    it("sends nothing of its own to other servers, unless asked to", async () => {
      const heard: unknown[] = [];
      await using other = await another({
        message: (ws, message) => {
          heard.push(message);
          return ws.write(message);
        },
      });
      await connect(other.url);
      await state("open").waitFor();
      await say("mine");
      // A second has passed when there is a rate.
      await until(`document.querySelector("[data-part=sentRow]").cells[3].textContent === "1"`);
      await until(`document.querySelectorAll("[data-part=traffic] path.line").length === 2`);
      assert.deepEqual(heard, ["mine"]);
      await button("Now").click();
      await until(`Number(document.querySelector("[data-part=echoRow]").cells[1].textContent) > 0`);
      assert.equal(heard.length, 2);
      assert.match(String(heard[1]), /^serval\.probe /);
      assert.equal((await row("Ping"))[0], "–");
    });
  });

  describe("the page's user", () => {
    it("needs no mouse", async () => {
      const focused = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.dataset.part";
      await page.getByRole("log").focus();
      await page.keyboard.press("/");
      assert.equal(await page.evaluate(focused), "Message");
      await page.keyboard.type("a/b?");
      await page.keyboard.press("Control+Enter");
      await entry("received").waitFor();
      assert.equal(await text(entry("received").locator("pre")), "a/b?");

      await page.keyboard.press("Alt+n");
      assert.equal(await page.evaluate(focused), "url");
      // In the tabs.
      await page.keyboard.press("Shift+Tab");
      await page.keyboard.press("Shift+Tab");
      assert.match((await page.evaluate(focused)) as string, /^Connection 2: .*, not connected$/);
      await page.keyboard.press("ArrowRight");
      assert.match((await page.evaluate(focused)) as string, /^Connection 1: .*, open$/);
      await page.keyboard.press("ArrowLeft");
      assert.match((await page.evaluate(focused)) as string, /^Connection 2: /);
      await page.keyboard.press("Delete");
      assert.match((await page.evaluate(focused)) as string, /^Connection 1: /);
      assert.equal(await page.getByRole("tab").count(), 1);

      await page.keyboard.press("?");
      await page.getByRole("dialog", { name: "Keys" }).waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "hidden" });
      await page.keyboard.press("Alt+c");
      await state("closed, 1000").waitFor();
      await page.keyboard.press("Alt+u");
      // Enter in the field connects, and once connected does not disconnect.
      await page.keyboard.press("Enter");
      await state("open").waitFor();
      await page.keyboard.press("Enter");
      await page.keyboard.press("Alt+w");
      await state("not connected").waitFor();
      assert.match((await page.evaluate(focused)) as string, /^Connection 3: /);
      assert.deepEqual(complaints, []);
    });

    it("finds every field and button named, and the focus visible", async () => {
      const unnamed = `[...document.querySelectorAll("main :is(input, textarea, select, button)")]
        .filter((found) => found.type !== "file" && !found.ariaLabel && !found.labels?.length && !found.textContent.trim())
        .map((found) => found.outerHTML)`;
      assert.deepEqual(await page.evaluate(unnamed), []);
      const outline = "getComputedStyle(document.activeElement).outlineStyle";
      await page.keyboard.press("/");
      for (let i = 0; i < 6; i++) {
        const name = await page.evaluate("document.activeElement.outerHTML");
        // Of a radio it is the label that has it.
        if (!/type="radio"/.test(name as string)) assert.equal(await page.evaluate(outline), "solid", name as string);
        await page.keyboard.press("Tab");
      }
    });

    it("chooses colours, which the next visit remembers", async () => {
      const ground = async (): Promise<unknown> => page.evaluate("getComputedStyle(document.body).backgroundColor");
      await page.emulateMedia({ colorScheme: "light" });
      const light = await ground();
      await page.emulateMedia({ colorScheme: "dark" });
      const dark = await ground();
      assert.notEqual(light, dark);
      await page.getByRole("radio", { name: "Light" }).check({ force: true });
      assert.equal(await ground(), light);
      await page.reload();
      assert.equal(await ground(), light);
      await page.getByRole("radio", { name: "Dark" }).check({ force: true });
      await page.emulateMedia({ colorScheme: "light" });
      assert.equal(await ground(), dark);
      await page.getByRole("radio", { name: "Auto" }).check({ force: true });
      assert.equal(await ground(), light);
      assert.deepEqual(complaints, []);
    });

    it("can use a phone", async () => {
      await page.setViewportSize({ width: 360, height: 740 });
      await page.reload();
      await state("open").waitFor();
      await until(`document.activeElement.getAttribute("aria-label") === "Message"`);
      assert.equal(await page.evaluate("scrollY"), 0);
      await say("x".repeat(300));
      await page.getByRole("radio", { name: "Binary" }).check({ force: true });
      await say("ab".repeat(40));
      await entry("received", 2).waitFor();
      const bytesInLine = async (): Promise<number> => {
        const [line] = (await text(entry("received", 2).locator("pre"))).split("\n");
        return line!.match(/\bab\b/g)!.length;
      };
      assert.equal(await bytesInLine(), 8);
      await page.setViewportSize({ width: 1280, height: 740 });
      await until(`document.querySelector("[role=log] pre.dump").textContent.split("\\n").length === 3`);
      assert.equal(await bytesInLine(), 16);
      await page.setViewportSize({ width: 360, height: 740 });
      await connect(`${url}/echo`);
      await connect(`${url}/echo`);
      await state("open").waitFor();
      for (let i = 0; i < 3; i++) {
        assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 360);
        await page.keyboard.press("Alt+ArrowDown");
      }
    });

    it("can ask for reduced motion", async () => {
      const moving = "document.getAnimations().length";
      await page.emulateMedia({ reducedMotion: "reduce" });
      await page.evaluate(`document.querySelector("[data-part=tab]").dataset.state = "connecting"`);
      assert.equal(await page.evaluate(moving), 0);
      await page.emulateMedia({ reducedMotion: "no-preference" });
      assert.equal(await page.evaluate(moving), 1);
    });
  });

  describe("the end of a connection", () => {
    /** The colour of the dot at the state. */
    const dot = (): Promise<unknown> =>
      page.evaluate(`getComputedStyle(document.querySelector("[data-part=state]"), "::before").color`);
    const colour = (name: string): Promise<unknown> =>
      page.evaluate(`{
        const made = document.body.appendChild(document.createElement("i"));
        made.style.color = "var(--${name})";
        const computed = getComputedStyle(made).color;
        made.remove();
        computed;
      }`);

    it("says that the browser does not tell why there was no connection, and which command does", async () => {
      await using other = await another({ upgrade: () => new http.Response({ status: 403 }) });
      const target = `${other.url}it's?room=a&token=b`;
      await connect(target, "chat.v2");
      await state("could not connect").waitFor();
      const command = `serval inspect --origin ${url} --protocol chat.v2 '${other.url}it'\\''s?room=a&token=b'`;
      const failure = form("Connection").getByRole("alert").filter({ hasText: "The browser does not tell" });
      assert.equal(await text(failure.locator("code")), command);
      await button("Copy the command").click();
      await failure.getByText("Copied").waitFor();
      assert.equal(await page.evaluate("navigator.clipboard.readText()"), command);
      assert.match(await text(entry("problem")), /could not connectthe browser does not tell whyserval inspect /);
      assert.equal(await text(region(/^Request/)), "No connection was made.");
      assert.equal(await dot(), await colour("bad"));
      // A shell that gets the command sees the server's answer.
      const shell = spawn("sh", ["-c", command.replace("serval", `"${process.execPath}" "${servalMain}"`)]);
      assert.match(await streamText(shell.stdout), /HTTP\/1\.1 403 /);
      // The next attempt takes the message away.
      await page.getByLabel("URL").fill(`${url}/echo`);
      await button("Connect").click();
      await state("open").waitFor();
      await failure.waitFor({ state: "hidden" });
    });

    it("does not show an orderly close as a failure, but the loss of a connection", async () => {
      await button("Disconnect").click();
      await state("closed, 1000").waitFor();
      assert.equal(await dot(), await colour("soft"));
      assert.equal(await entry("problem").count(), 0);
      await using other = await another({ message: (ws) => void ws.terminate() });
      await connect(other.url);
      await state("open").waitFor();
      await say("now");
      await entry("problem").waitFor();
      assert.match(await text(entry("problem")), /closed1006lost without a close framenot clean$/);
      assert.deepEqual(complaints, []);
    });

    it("does not call it a failure when the user gives up", async () => {
      // It takes connections, and says nothing.
      const silent = createServer().listen(0, "127.0.0.1");
      await once(silent, "listening");
      await connect(`ws://127.0.0.1:${(silent.address() as AddressInfo).port}/`);
      await button("Cancel").click();
      await state("not connected").waitFor();
      assert.match(await text(entry("event")), /cancelled$/);
      assert.equal(await dot(), await colour("soft"));
      assert.equal(await entry("problem").count(), 0);
      silent.close();
    });

    it("connects again when its server has restarted, unless the user gives up", async () => {
      const port = String(await freePort());
      const start = async (): Promise<Command> => {
        const started = new Command("serve", "--port", port);
        await started.url();
        return started;
      };
      const first = await start();
      await page.goto(`http://127.0.0.1:${port}`);
      await state("open").waitFor();
      for (let restarts = 0; restarts < 2; restarts++) {
        const leaving = restarts === 0 ? first : await start();
        await state("open").waitFor();
        leaving.kill("SIGTERM");
        await state("connecting again").waitFor();
        await form("Close").getByText("Closed: 1001 going away, clean.").waitFor();
        assert.equal((await leaving.ended).code, 0);
      }
      const again = await start();
      await state("open").waitFor();
      await say("back?");
      await entry("received").waitFor();
      assert.equal(await page.getByRole("log").getByText("connecting again").count(), 2);
      // It is gone without a word.
      again.kill("SIGKILL");
      await state("connecting again").waitFor();
      await button("Cancel").click();
      await state("closed, 1006").waitFor();
      await again.ended;
      await using _last = await start();
      await button("Connect").click();
      await state("open").waitFor();
    });

    it("does not connect again when the server has said that it is done", async () => {
      let opened = 0;
      await using other = await another({
        open: () => void opened++,
        message: (ws) => void ws.close({ code: 1008 }),
      });
      await connect(other.url);
      await state("open").waitFor();
      await say("now");
      await state("closed, 1008").waitFor();
      assert.ok(await button("Connect").isEnabled());
      assert.equal(opened, 1);
    });
  });
});
