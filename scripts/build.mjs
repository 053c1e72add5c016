// npm run build: compiles the package to dist/, from nothing.
import { chmodSync, rmSync } from "node:fs";
import { build, ensureInstalled } from "./common.mjs";

await ensureInstalled();
rmSync("dist", { recursive: true, force: true });
const built = await build("dist");
// A project that has linked the package runs the command from here, and npm made it executable only once.
if (built) chmodSync("dist/cli/main.js", 0o755);
process.exitCode = built ? 0 : 1;
