// npm run bench:micro [-- words]: measures parts of the code alone; the words choose some of them.
import { ensureBuilt, run } from "./common.mjs";

if (!(await ensureBuilt("bench"))) process.exit(2);
const words = process.argv.slice(2);
process.exitCode = await run(process.execPath, ["--expose-gc", "build/bench/micro/main.js", ...words]);
