// Debian's Chromium, without a window.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { chromium, type BrowserContext } from "playwright-core";
import { installed } from "../../support/programs.ts";

const args = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A browser, with a profile of its own. */
export class Browser implements AsyncDisposable {
  readonly context: BrowserContext;
  readonly #folder: string;

  private constructor(context: BrowserContext, folder: string) {
    this.context = context;
    this.#folder = folder;
  }

  static async launch(): Promise<Browser> {
    const executablePath = installed("chromium");
    const folder = mkdtempSync(path.join(tmpdir(), "serval-chromium-"));
    const context = await chromium.launchPersistentContext(folder, { executablePath, args });
    context.setDefaultTimeout(20_000);
    return new Browser(context, folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
