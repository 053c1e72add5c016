// npm run example NAME [-- …]: compiles, then runs examples/NAME.ts; the arguments are its own.
import { existsSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { ensureBuilt, filesUnder, note } from "./common.mjs";

const [name, ...rest] = process.argv.slice(2);
if (name === undefined || !existsSync(`examples/${name}.ts`)) {
  const names = filesUnder("examples")
    .filter((file) => path.dirname(file) === "examples" && file.endsWith(".ts"))
    .map((file) => path.basename(file, ".ts"));
  note(`Which example? There are ${names.join(", ")}:\n  npm run example ${names[0]}`);
  process.exit(1);
}
// An example imports "serval", as a user does: that is what dist/ has.
if (!(await ensureBuilt("dist")) || !(await ensureBuilt("examples"))) process.exit(1);

// The one failure of a sound example: Node's error, or serval's, comes from wherever the example listens.
process.on("uncaughtException", (error) => {
  const isInUse = error?.code === "EADDRINUSE" || error?.code === "net.address_in_use";
  if (isInUse)
    note(
      "The port is in use; stop the server that uses it, or choose another as the first argument (0 for any that is free)",
    );
  else console.error(error);
  process.exit(1);
});

// In this process and not in a child: then Ctrl-C and SIGTERM reach the server itself.
const main = path.resolve(`build/examples/${name}.js`);
process.argv = [process.execPath, main, ...rest];
await import(pathToFileURL(main).href);
