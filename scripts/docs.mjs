// npm run docs [-- folder]: the API reference, from the docstrings, in docs/api/ or in that folder. It fails where an exported
// name has none, or a link leads nowhere.
import { existsSync } from "node:fs";
import path from "node:path";
import { ensureInstalled, note, npm, run } from "./common.mjs";

const folder = "tools/typedoc";

await ensureInstalled();
// TypeDoc needs an older compiler than ours: both stand in a folder of their own.
if (!existsSync(path.join(folder, "node_modules/typedoc"))) {
  note("installing TypeDoc …");
  const code = await npm(["ci", "--include=dev", "--loglevel=error"], { cwd: folder, stdio: ["ignore", 2, 2] });
  if (code !== 0) process.exit(code);
}
const out = path.resolve(process.argv[2] ?? "docs/api");
const typedoc = path.join(folder, "node_modules/typedoc/bin/typedoc");
const options = ["--options", path.join(folder, "typedoc.json"), "--treatWarningsAsErrors", "--logLevel", "Warn"];
process.exitCode = await run(process.execPath, [typedoc, ...options, "--out", out]);
if (process.exitCode === 0) note(`the API reference is in ${path.join(out, "index.html")}`);
