// npm run bench [-- …]: compiles, then runs the benchmarks; the arguments are theirs.
import { ensureBuilt, run } from "./common.mjs";

if (!(await ensureBuilt("bench"))) process.exit(1);
process.exitCode = await run(process.execPath, ["build/bench/main.js", ...process.argv.slice(2)]);
