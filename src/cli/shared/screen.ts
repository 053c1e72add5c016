import { clearScreenDown, cursorTo, moveCursor, type Interface } from "node:readline";
import type { Stdio } from "./stdio.ts";

/** Where a client writes to. While there is a prompt, what is written goes above it, and the line being typed stays. */
export class Screen {
  /** Fulfils when nobody reads the output any more (`| head -1`). */
  readonly gone: Promise<void>;
  #isGone = false;
  #prompt: Interface | undefined;
  readonly #stdio: Pick<Stdio, "stdout" | "stderr">;

  constructor(stdio: Pick<Stdio, "stdout" | "stderr">) {
    this.#stdio = stdio;
    this.gone = new Promise((resolve) => {
      stdio.stdout.on("error", () => {
        this.#isGone = true;
        resolve();
      });
    });
    stdio.stderr.on("error", () => {});
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Writes to stdout; fulfils when that has taken it, or never will. */
  async out(data: string | Uint8Array): Promise<void> {
    if (this.#isGone) return;
    await new Promise<void>((resolve) => {
      this.#above(() => this.#stdio.stdout.write(data, () => resolve()));
    });
  }

  /** Writes to stderr. */
  err(text: string): void {
    this.#above(() => this.#stdio.stderr.write(text));
  }

  /** Shows a prompt, until {@link endPrompt}. */
  startPrompt(prompt: Interface): void {
    this.#prompt = prompt;
    prompt.prompt();
  }

  /** Takes the prompt away, with what is typed. */
  endPrompt(): void {
    const prompt = this.#prompt;
    if (prompt === undefined) return;
    this.#clear(prompt);
    this.#prompt = undefined;
    prompt.close();
  }

  #above(write: () => void): void {
    const prompt = this.#prompt;
    if (prompt === undefined) {
      write();
      return;
    }
    this.#clear(prompt);
    write();
    prompt.prompt(true);
  }

  /** Leaves the cursor where the prompt began. */
  #clear(prompt: Interface & { prevRows?: number }): void {
    const { stdout } = this.#stdio;
    const { rows } = prompt.getCursorPos();
    if (rows > 0) moveCursor(stdout, 0, -rows);
    cursorTo(stdout, 0);
    clearScreenDown(stdout);
    // How many rows it goes up to draw itself again. Node.js does not document it; without, a long line would draw itself
    // over what was written.
    prompt.prevRows = 0;
  }
}
