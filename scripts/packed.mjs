// What would be published, packed by npm and unpacked where tests install it from.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ensureBuilt, filesUnder, note, npm, stateOf } from "./common.mjs";

/** The packages of this repository: the name of each, and its folder. */
export const published = { serval: ".", "serval-ws": "packages/ws" };

/** Packs the packages into a folder's `packed/`, as tarballs and unpacked, if anything changed since the last time. */
export async function ensurePacked(folder) {
  if (!(await ensureBuilt("dist"))) process.exit(1);
  const packed = path.join(folder, "packed");
  const stamp = path.join(packed, "stamp");
  const state = stateOf([...filesUnder("dist"), ...filesUnder("packages"), "package.json", "README.md", "LICENSE"]);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === state) return;
  note(`packing to ${packed}/ …`);
  for (const [name, source] of Object.entries(published)) {
    const target = path.join(packed, name);
    // Emptied, not replaced: installed packages are links to it.
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target, { recursive: true });
    const pack = ["pack", "--ignore-scripts", "--loglevel=error", `--pack-destination=${path.resolve(packed)}`];
    const code = await npm(pack, { cwd: source, stdio: ["ignore", 2, 2] });
    if (code !== 0) process.exit(code);
    const { version } = JSON.parse(readFileSync(path.join(source, "package.json"), "utf8"));
    execFileSync("tar", ["-xzf", `${name}-${version}.tgz`, "-C", name, "--strip-components=1"], { cwd: packed });
    // npm would install them for a package that it links to.
    const manifest = path.join(target, "package.json");
    const { devDependencies: _, ...rest } = JSON.parse(readFileSync(manifest, "utf8"));
    writeFileSync(manifest, JSON.stringify(rest, undefined, 2));
  }
  writeFileSync(stamp, state);
}
