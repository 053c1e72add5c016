import { clearScreenDown, cursorTo, moveCursor, type Interface } from "node:readline";
import type { Stdio } from "./stdio.ts";

/** The output of a client. While there is a prompt, output goes above it, and the line being typed stays. */
export class Screen {
  /** Fulfils when the reader of the output is gone (`| head -1`). */
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

  /** Writes to stdout; fulfils when stdout has taken the data, or is gone. */
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

  /** Removes the prompt and what is typed in it. */
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

  /** Moves the cursor to where the prompt began, and clears. */
  #clear(prompt: Interface & { prevRows?: number }): void {
    const { stdout } = this.#stdio;
    const { rows } = prompt.getCursorPos();
    if (rows > 0) moveCursor(stdout, 0, -rows);
    cursorTo(stdout, 0);
    clearScreenDown(stdout);
    // The number of rows that readline goes up to redraw. Node.js does not document it; without it, a long line would
    // overwrite the output.
    prompt.prevRows = 0;
  }
}
