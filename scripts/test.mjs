// npm test: installs, compiles and runs all tests but those of the tiers, which take long or need other programs.
// npm test -- words: the tests, of a tier or not, whose path contains one of the words.
// npm run test:tier -- names: the tests of these tiers, or of every tier.
// npm run test:all: all tests.
// What starts with "-" goes to Node.js (write --test-name-pattern=…, with the sign of equality). SEED is where generated
// inputs start: 1 in `npm test`, a new number, which is printed, in the other two.
import { note, run } from "./common.mjs";
import { allTests, ensureTestsBuilt, quickTests, testArguments, testsOf, testsWith, tiers } from "./tests.mjs";

/** What the words of a command select; undefined if it does not know one. */
const selections = {
  words: (words) => (words.length === 0 ? quickTests : testsWith(words)),
  tier: (names) =>
    names.every((name) => tiers.includes(name)) ? testsOf(names.length === 0 ? tiers : names) : undefined,
  all: (words) => (words.length === 0 ? allTests : undefined),
};

const [command, ...given] = process.argv.slice(2);
const isOption = (argument) => argument.startsWith("-");
const files = selections[command](given.filter((argument) => !isOption(argument)));
if (files === undefined) {
  note(
    `There are the tiers ${tiers.join(", ")}:\n  npm run test:tier -- ${tiers[0]}\nFor single tests:\n  npm test -- words`,
  );
  process.exit(1);
}

if (command !== "words" && process.env.SEED === undefined) {
  process.env.SEED = String(Math.floor(Math.random() * 2 ** 31));
  note(`SEED=${process.env.SEED}`);
}
const nodeArguments = testArguments(files, given.filter(isOption));
const typesHold = await ensureTestsBuilt(files);
const code = await run(process.execPath, nodeArguments);
// With an error in the types the tests have run all the same, to say more, but the whole has failed.
if (!typesHold) note("the types do not hold: see the compiler's errors above");
process.exitCode = code || (typesHold ? 0 : 1);
