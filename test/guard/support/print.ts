// node build/test/guard/support/print.js: prints what the guard counts with this version of Node.js, for expected.ts.
import { runCount } from "./run-count.ts";

console.log(`Node.js ${process.versions.node}`);
for (const [name, counts] of Object.entries(await runCount())) {
  const texts = Object.entries(counts).map(([what, count]) => `${what} ${count}`);
  console.log(`${name}: ${texts.join(", ")}`);
}
