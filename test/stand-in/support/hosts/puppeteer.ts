import { launch } from "puppeteer-core";

/** A browser, driven over serval; "overrides": { "puppeteer-core": { "ws": "npm:serval-ws" } }. */
export async function titleOf(page: string, executablePath: string): Promise<string> {
  const browser = await launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const tab = await browser.newPage();
    await tab.goto(page);
    return await tab.title();
  } finally {
    await browser.close();
  }
}
