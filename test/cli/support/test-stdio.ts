// The streams of a command that runs in the test's own process.
import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import type { Stdio } from "../../../src/cli/shared/stdio.ts";
import { until } from "../../core/support/stream-operations.ts";

/** What is a terminal, or claims to be one. */
export interface Terminals {
  readonly stdin?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
}

/** Streams that keep what was written to them; signals are its events. */
export class TestStdio extends EventEmitter implements Stdio {
  readonly stdin;
  readonly stdout;
  readonly stderr;
  readonly env: Record<string, string> = { NO_COLOR: "1", TERM: "xterm" };
  #out: Buffer[] = [];
  #err = "";

  constructor({ stdin = false, stdout = false, stderr = false }: Terminals = {}) {
    super();
    this.stdin = Object.assign(new PassThrough(), { isTTY: stdin });
    this.stdout = Object.assign(new PassThrough(), { isTTY: stdout, columns: 80 });
    this.stderr = Object.assign(new PassThrough(), { isTTY: stderr });
    this.stdout.on("data", (chunk: Buffer) => this.#out.push(chunk));
    this.stderr.on("data", (chunk: Buffer) => (this.#err += String(chunk)));
  }

  /** All that was written to stdout. */
  get out(): string {
    return this.bytes.toString();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#out);
  }

  /** All that was written to stderr. */
  get err(): string {
    return this.#err;
  }

  /** Waits until something was written. */
  async shows(text: string, stream: "out" | "err" = "out"): Promise<void> {
    await until(() => this[stream].includes(text));
  }
}

/** A user at a terminal. */
export function terminal(): TestStdio {
  return new TestStdio({ stdin: true, stdout: true, stderr: true });
}
