// Runs an example as a user does: in a project that has the package.
import { spawn } from "node:child_process";
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
  const folder = await mkdtemp(path.join(tmpdir(), "serval-example-"));
  const installed = path.join(folder, "node_modules", "serval");
  await mkdir(installed, { recursive: true });
  await cp(path.join(root, "package.json"), path.join(installed, "package.json"));
  // What the package's exports call dist is what the tests have compiled.
  await symlink(path.join(root, "build", "src"), path.join(installed, "dist"));
  await writeFile(path.join(folder, "package.json"), '{ "type": "module" }');
  const program = path.join(folder, `${name}.js`);
  await cp(path.join(root, "build", "examples", `${name}.js`), program);
  for (const [file, content] of Object.entries(files)) await writeFile(path.join(folder, file), content);
  const child = spawn(process.execPath, [program, "0", ...args(folder)], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  test.after(async () => {
    child.kill();
    await rm(folder, { recursive: true });
  });
  let output = "";
  for await (const chunk of child.stdout) {
    output += String(chunk);
    const port = /port (\d+)\n/.exec(output)?.[1];
    if (port !== undefined) return { port: Number(port), folder };
  }
  throw new Error(`The example ended, and said: ${output}`);
}
