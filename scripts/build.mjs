// npm run build: compiles the package to dist/, from nothing.
import { rmSync } from "node:fs";
import { build, ensureInstalled } from "./common.mjs";

await ensureInstalled();
rmSync("dist", { recursive: true, force: true });
process.exitCode = (await build("dist")) ? 0 : 1;
