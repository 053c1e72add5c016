// npm run format: lays out the code.
import { ensureInstalled, run, tool } from "./common.mjs";

await ensureInstalled("tools/lint");
process.exitCode = await run(process.execPath, [tool("tools/lint/node_modules/oxfmt"), ...process.argv.slice(2)]);
