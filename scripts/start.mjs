// npm start -- [arguments]: `serval serve [arguments]` from the sources, installed and compiled first where need be.
import path from "node:path";
import { pathToFileURL } from "node:url";
import { ensureBuilt } from "./common.mjs";

if (!(await ensureBuilt("dist"))) process.exit(1);

// In this process and not in a child: then Ctrl-C and SIGTERM reach the server itself.
const main = path.resolve("dist/cli/main.js");
process.argv = [process.execPath, main, "serve", ...process.argv.slice(2)];
await import(pathToFileURL(main).href);
