// npm test -- [words] [options]: installs, compiles and tests. Words select the test files whose path contains one of
// them; what starts with "-" goes to Node.js (write --test-name-pattern=…, with the sign of equality).
import { ensureBuilt, note, run, testArguments, testFiles } from "./common.mjs";

const words = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const options = process.argv.slice(2).filter((argument) => argument.startsWith("-"));

const typesHold = (await ensureBuilt("build")) && (await ensureBuilt("examples"));
const code = await run(process.execPath, testArguments(testFiles(words), options));
// With an error in the types the tests have run all the same, to say more, but the whole has failed.
if (!typesHold) note("the types do not hold: see the compiler's errors above");
process.exitCode = code || (typesHold ? 0 : 1);
