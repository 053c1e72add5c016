// Runs an example as a user does: in a project that has the package.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Cleanup } from "../../support/programs.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));

/** The packages that examples import. */
const { devDependencies } = JSON.parse(readFileSync(path.join(root, "examples", "package.json"), "utf8")) as {
  devDependencies: Readonly<Record<string, string>>;
};
const dependencies = Object.keys(devDependencies);

/** An example that runs, and listens. */
export interface Example {
  readonly port: number;
  /** A folder of its own. */
  readonly folder: string;
  /**
   * Asks it to end, as Ctrl-C does or by another signal, and waits for that: the code that it exits with, and all that
   * it has printed.
   */
  stop(signal?: NodeJS.Signals): Promise<{ code: number | null; output: string }>;
}

/** How an example says that it listens: with a URL, or with what `server.address()` has. */
const listening = /^listening on (?:https?:\/\/.*?:(\d+)|\{.* port: (\d+).*\})/m;

/** Starts `examples/NAME.ts`, as it was compiled, with a free port and these arguments; it ends with the test. */
export async function startExample(
  test: Cleanup,
  name: string,
  args: (folder: string) => readonly string[] = () => [],
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<Example> {
  const { folder, program } = await install(test, name, files);
  const child = spawn(process.execPath, [program, "0", ...args(folder)], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(child, "close") as Promise<[number | null]>;
  test.after(async () => void child.kill("SIGKILL"));
  let output = "";
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      const found = listening.exec(output);
      if (found !== null) resolve(Number(found[1] ?? found[2]));
    });
    child.on("close", () => reject(new Error(`The example ended, and said: ${output}`)));
  });
  const stop: Example["stop"] = async (signal = "SIGINT") => {
    child.kill(signal);
    const [code] = await closed;
    return { code, output };
  };
  return { port, folder, stop };
}

/** Runs an example that does not start: what it says about that, and the code that it exits with. */
export async function failedExample(
  test: Cleanup,
  name: string,
  args: readonly string[],
): Promise<{ code: number | null; said: string }> {
  const { folder, program } = await install(test, name, {});
  const child = spawnSync(process.execPath, [program, ...args], { cwd: folder, encoding: "utf8", timeout: 20_000 });
  return { code: child.status, said: child.stderr };
}

/** A folder with an example, what goes with it, and the packages that it may import, for the time of a test. */
async function install(
  test: Cleanup,
  name: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<{ folder: string; program: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), "serval-example-"));
  test.after(() => rm(folder, { recursive: true }));
  const installed = path.join(folder, "node_modules", "serval");
  await mkdir(installed, { recursive: true });
  await cp(path.join(root, "package.json"), path.join(installed, "package.json"));
  // What the package's exports call dist is what the tests have compiled.
  await symlink(path.join(root, "build", "src"), path.join(installed, "dist"));
  for (const dependency of dependencies) {
    const link = path.join(folder, "node_modules", dependency);
    await mkdir(path.dirname(link), { recursive: true });
    await symlink(path.join(root, "examples", "node_modules", dependency), link);
  }
  await writeFile(path.join(folder, "package.json"), '{ "type": "module" }');
  const program = path.join(folder, `${name}.js`);
  await cp(path.join(root, "build", "examples", `${name}.js`), program);
  const beside = path.join(root, "build", "examples", name);
  if (existsSync(beside)) await cp(beside, path.join(folder, name), { recursive: true });
  for (const [file, content] of Object.entries(files)) await writeFile(path.join(folder, file), content);
  return { folder, program };
}
