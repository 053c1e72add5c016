// Debian's programs that tests talk to: where they are, and daemons of them that live as long as a test.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { buffer, text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "./free-port.ts";

/** The programs that tests use, and the packages that have them; `.ci/packages` installs those. */
export const packages = {
  chromium: "chromium",
  curl: "curl",
  haproxy: "haproxy",
  microsocks: "microsocks",
  nginx: "nginx-light",
  nginxStream: "libnginx-mod-stream",
  tinyproxy: "tinyproxy",
  wrk: "wrk",
} as const;

export type ProgramName = keyof typeof packages;

/** Daemons stand in folders that only an administrator's PATH has, but anybody may run them. */
const folders = [...(process.env.PATH ?? "").split(path.delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"];

/** Where nginx's modules lie, each of which is a file. */
const nginxStream = "/usr/lib/nginx/modules/ngx_stream_module.so";

/** The path of a program, or of a part of one; undefined if it is not installed. */
export function program(name: ProgramName): string | undefined {
  if (name === "nginxStream") return existsSync(nginxStream) ? nginxStream : undefined;
  const chosen = name === "chromium" ? process.env.CHROMIUM : undefined;
  if (chosen === undefined) return find(name);
  return isExecutable(chosen) ? chosen : undefined;
}

function find(name: string): string | undefined {
  return folders.map((folder) => path.join(folder, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** The path of a program; throws if it is not installed. */
export function installed(name: ProgramName): string {
  const found = program(name);
  if (found === undefined) throw new Error(missing(name));
  return found;
}

function missing(name: ProgramName): string {
  const variable = name === "chromium" ? ", or set CHROMIUM to its path" : "";
  return `${name} is not installed (apt-get install ${packages[name]}${variable})`;
}

/**
 * Why a test that needs these programs is skipped, for node:test's option `skip`; false if they are installed, and in CI,
 * where a program that is missing is a failure: without the test nobody would know that it fails.
 */
export function requires(...names: ProgramName[]): string | false {
  const absent = names.find((name) => program(name) === undefined);
  return absent === undefined || process.env.CI ? false : missing(absent);
}

/** What a daemon is started with. */
export interface DaemonSetup {
  /** A folder of its own, empty but for `files`. */
  readonly folder: string;
  /** A port of 127.0.0.1 that nothing listens on. */
  readonly port: number;
}

/** How a daemon is started, in the foreground. */
export interface DaemonOptions {
  /** Its arguments. */
  readonly args: (setup: DaemonSetup) => readonly string[];
  /** The files to write into its folder first, by name. */
  readonly files?: (setup: DaemonSetup) => Readonly<Record<string, string>>;
}

/** A test's context, or what does the same in a suite: `{ after }` of node:test. */
export interface Cleanup {
  after(clean: () => Promise<void>): void;
  readonly passed?: boolean;
}

/** A daemon that listens. */
export interface Daemon extends DaemonSetup {
  /** Ends it now, if that has not happened, and waits until it is gone. */
  stop(): Promise<void>;
  /** What it has printed, on either output. */
  readonly output: string;
}

/**
 * Starts a daemon, waits until it listens on its port, and kills it behind the test. What it printed is shown if it does
 * not start, or the test fails.
 */
export async function startDaemon(test: Cleanup, name: ProgramName, options: DaemonOptions): Promise<Daemon> {
  const file = installed(name);
  const folder = await mkdtemp(path.join(tmpdir(), `serval-${name}-`));
  const setup = { folder, port: await freePort() };
  for (const [own, content] of Object.entries(options.files?.(setup) ?? {})) {
    await writeFile(path.join(folder, own), content);
  }
  const child = spawnBound(file, options.args(setup));
  let output = "";
  for (const pipe of [child.stdout!, child.stderr!]) pipe.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };
  test.after(async () => {
    await stop();
    await rm(folder, { recursive: true, force: true });
    if (test.passed === false && output !== "") console.error(`${name} said:\n${output}`);
  });
  await listening(child, setup.port).catch((cause: unknown) => {
    throw new Error(`${name} did not start: ${String(cause)}\n${output}`, { cause });
  });
  return {
    ...setup,
    stop,
    get output() {
      return output;
    },
  };
}

/** Starts a program that the kernel kills when we end, however that happens: a test that hangs is killed, too. */
function spawnBound(file: string, args: readonly string[]): ChildProcess {
  const bind = process.platform === "linux" ? find("setpriv") : undefined;
  const command = bind === undefined ? [file] : [bind, "--pdeathsig", "KILL", "--", file];
  return spawn(command[0], [...command.slice(1), ...args], { stdio: ["ignore", "pipe", "pipe"] });
}

/** Fulfils once a connection is taken on the port; rejects if the process ends before, or that takes too long. */
async function listening(child: ChildProcess, port: number): Promise<void> {
  for (let pause = 2; pause < 10_000; pause *= 1.5) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`it ended with ${child.exitCode ?? child.signalCode}`);
    }
    const socket = connect(port, "127.0.0.1");
    const isTaken = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isTaken) return;
    await delay(pause);
  }
  throw new Error(`nothing listens on port ${port}`);
}

/** What a program said, and how it ended. */
export interface Finished {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs a program to its end, with `input` as what it reads. */
export async function runProgram(
  name: ProgramName,
  args: readonly string[],
  input?: AsyncIterable<Uint8Array>,
): Promise<Finished> {
  const child = spawn(installed(name), args, { stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"] });
  if (input !== undefined) {
    // It may end before it has read all of it.
    child.stdin!.on("error", () => {});
    void pipeline(input, child.stdin!).catch(() => {});
  }
  const [stdout, stderr, [code]] = await Promise.all([
    buffer(child.stdout!),
    text(child.stderr!),
    once(child, "close"),
  ]);
  return { code: code as number, stdout, stderr };
}
