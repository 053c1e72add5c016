// Runs an example as a user does: in a project that has the package.
import { spawn, spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Cleanup } from "../system/programs.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** An example that runs, and listens. */
export interface Example {
  readonly port: number;
  /** A folder of its own. */
  readonly folder: string;
}

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
  test.after(async () => void child.kill());
  let output = "";
  for await (const chunk of child.stdout) {
    output += String(chunk);
    const port = /^listening on https?:\/\/localhost:(\d+)\/.*\n/.exec(output)?.[1];
    if (port !== undefined) return { port: Number(port), folder };
  }
  throw new Error(`The example ended, and said: ${output}`);
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

/** A folder with an example and the package, for the time of a test. */
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
  await writeFile(path.join(folder, "package.json"), '{ "type": "module" }');
  const program = path.join(folder, `${name}.js`);
  await cp(path.join(root, "build", "examples", `${name}.js`), program);
  for (const [file, content] of Object.entries(files)) await writeFile(path.join(folder, file), content);
  return { folder, program };
}
