// Preloaded in the process of each test file: ends it if it does not end by itself, as where a test has failed and left a
// socket open. From Node.js 24 on the test runner would wait for it without end.
const patience = 300_000;

if (process.env.NODE_TEST_CONTEXT !== undefined) {
  setTimeout(() => {
    console.error(`It still runs after ${patience} ms, with ${process.getActiveResourcesInfo().join(", ")}`);
    process.exit(1);
  }, patience).unref();
}
