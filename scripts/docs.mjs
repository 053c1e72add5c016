// npm run docs [-- folder]: the API reference, from the docstrings, in docs/api/ or in that folder. It fails where an exported
// name has none, or a link leads nowhere.
import path from "node:path";
import { ensureInstalled, note, run } from "./common.mjs";

const folder = "tools/typedoc";

await ensureInstalled();
// TypeDoc needs an older compiler than ours: both stand in a folder of their own.
await ensureInstalled(folder);
const out = path.resolve(process.argv[2] ?? "docs/api");
const typedoc = path.join(folder, "node_modules/typedoc/bin/typedoc");
const options = ["--options", path.join(folder, "typedoc.json"), "--treatWarningsAsErrors", "--logLevel", "Warn"];
process.exitCode = await run(process.execPath, [typedoc, ...options, "--out", out]);
if (process.exitCode === 0) note(`the API reference is in ${path.join(out, "index.html")}`);
