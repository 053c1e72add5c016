import { fileURLToPath } from "node:url";
import { Child, pinned } from "./child.ts";
import type { Questions } from "./load/main.ts";

/** The load generator's process. */
export class Generator {
  readonly #child: Child;

  private constructor(child: Child) {
    this.#child = child;
  }

  static async start(core: number | undefined): Promise<Generator> {
    const file = fileURLToPath(new URL("load/main.js", import.meta.url));
    return new Generator(await Child.start("the load generator", pinned([process.execPath, file], core)));
  }

  ask<Name extends keyof Questions>(
    question: Name,
    details: Parameters<Questions[Name]>[0],
  ): Promise<Awaited<ReturnType<Questions[Name]>>> {
    return this.#child.ask(question, details);
  }

  async stop(): Promise<void> {
    await this.#child.stop();
  }
}
