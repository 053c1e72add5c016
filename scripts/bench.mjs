// npm run bench [-- …]: compiles, then runs the benchmarks; the arguments are theirs.
import { ensureBuilt, ensureInstalled, run } from "./common.mjs";

await ensureInstalled();
if (!(await ensureBuilt("build"))) process.exit(1);
process.exitCode = await run(process.execPath, ["build/bench/main.js", ...process.argv.slice(2)]);
