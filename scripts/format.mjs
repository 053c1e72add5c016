// npm run format: lays out the code, and makes of tools/lint/rooms.mjs what the linter reads.
import * as rooms from "../tools/lint/rooms.mjs";
import { ensureInstalled, run, tool } from "./common.mjs";

rooms.write();
await ensureInstalled("tools/lint");
process.exitCode = await run(process.execPath, [tool("tools/lint/node_modules/oxfmt"), ...process.argv.slice(2)]);
