// The server that a test loads, in a process of its own.
import assert from "node:assert/strict";
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ServerStatistics } from "../../../src/server/index.ts";
import type { Farewell, Health, Questions, Setup } from "./setup.ts";

const MiB = 1024 * 1024;

/** How long something may take that is bound to come, in milliseconds: what is waited for in vain is an error that says so. */
const patience = 60_000;

export class Target {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: never) => void>();
  #asked = 0;
  #farewell: Farewell | undefined;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    child.on("message", ({ id, answer, farewell }: { id: number; answer: never; farewell?: Farewell }) => {
      if (farewell !== undefined) this.#farewell = farewell;
      else this.#waiting.get(id)?.(answer);
      this.#waiting.delete(id);
    });
  }

  /** Starts a server, which lives as long as the test. */
  static async start(test: TestContext, setup: Setup): Promise<Target> {
    const script = fileURLToPath(new URL("server.js", import.meta.url));
    const child = fork(script, [JSON.stringify(setup)], { execArgv: [] });
    test.after(() => void child.kill("SIGKILL"));
    const failed = once(child, "exit").then(([code]) =>
      assert.fail(`the server ended with ${code} before it listened`),
    );
    const [{ port }] = (await Promise.race([once(child, "message"), failed])) as [{ port: number }];
    failed.catch(() => {});
    const target = new Target(child, port);
    // The connections by which the server has found out that handles work are closed, but still counted.
    if (setup.counts === true) await target.untilHealth(({ handles }) => handles === 1);
    return target;
  }

  ask<Name extends keyof Questions>(name: Name, given?: Questions[Name][0]): Promise<Questions[Name][1]> {
    const id = this.#asked++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.send({ id, name, given });
    });
  }

  stats(): Promise<ServerStatistics> {
    return this.ask("stats");
  }

  /** Waits until the server's statistics say what is waited for. */
  until(isSo: (stats: ServerStatistics) => boolean): Promise<ServerStatistics> {
    return this.#until("stats", isSo);
  }

  /** Waits until it is as is waited for. */
  untilHealth(isSo: (health: Health) => boolean): Promise<Health> {
    return this.#until("health", isSo);
  }

  async #until<Name extends "stats" | "health">(
    name: Name,
    isSo: (answer: Questions[Name][1]) => boolean,
  ): Promise<Questions[Name][1]> {
    const start = performance.now();
    for (;;) {
      const answer = await this.ask(name);
      if (isSo(answer)) return answer;
      assert.ok(performance.now() - start < patience, `waited in vain for ${isSo}: ${JSON.stringify(answer)}`);
      await delay(20);
    }
  }

  /**
   * Its memory has not grown by more than so many MiB, and it was never kept from its timers for more than so many milliseconds.
   * Generous: this is for what grows without end, and for what blocks.
   */
  async wasCalm(test: TestContext, { mostMemory = 200, mostBlocked = 1000 } = {}): Promise<void> {
    const { blocked, delay, memory, memoryAtStart, bufferedAmount } = await this.ask("health");
    const grown = (memory - memoryAtStart) / MiB;
    test.diagnostic(
      `memory ${(memory / MiB).toFixed()} MiB, grown by ${grown.toFixed()}; event loop blocked for ${blocked.toFixed()} ms, ` +
        `delayed by ${delay.toFixed()}; ${bufferedAmount} bytes waited`,
    );
    assert.ok(grown < mostMemory, `the server's memory has grown by ${grown.toFixed()} MiB`);
    assert.ok(blocked < mostBlocked, `the server's event loop was blocked for ${blocked.toFixed()} ms`);
  }

  /** Tells it to end, and waits until it has: by itself, since nothing keeps it. */
  async end(): Promise<Farewell> {
    this.#child.kill("SIGTERM");
    const [code, signal] = (await once(this.#child, "exit")) as [number | null, string | null];
    assert.deepEqual([code, signal], [0, null]);
    return this.#farewell!;
  }
}
