// Measures small parts of the code alone, by mitata: all groups, or those whose name has one of the words in it.
import { bench, do_not_optimize, group, run } from "mitata";
import { growthTable } from "./growth.ts";
import { tasks } from "./tasks.ts";

const words = process.argv.slice(2).map((word) => word.toLowerCase());
if (words[0] === "growth") {
  for await (const line of growthTable(words.slice(1))) console.log(line);
  process.exit();
}
const names = Object.keys(tasks);
const unknown = words.find((word) => !names.some((name) => name.includes(word)));
if (unknown !== undefined) {
  console.error(`No group has "${unknown}" in its name. There are: ${names.join(", ")}; and growth`);
  process.exit(2);
}

for (const name of names.filter((each) => words.length === 0 || words.some((word) => each.includes(word)))) {
  group(name, () => {
    for (const [title, task] of Object.entries(tasks[name]!)) {
      bench(title, () => {
        const result = task();
        do_not_optimize(result);
        // A promise is awaited.
        return result;
      });
    }
  });
}
await run({ throw: true, colors: process.stdout.isTTY });
