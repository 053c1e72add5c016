// Every two operations of a stream that overlap, with each operation of the transport below failing in each way.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Failure } from "../../../src/testing/index.ts";
import { anyFailure } from "../../support/any-failure.ts";
import { quiet } from "../../support/quiet.ts";
import { roles } from "../support/client-kit.ts";
import { operations, receiving, Using, type Told } from "../support/operations.ts";
import { assertNoneUnhandled } from "../../support/unhandled.ts";

assertNoneUnhandled();

/** In handlers, what ends the stream. */
const endings: readonly Failure[] = ["error", "end", "reset", "abort"];

const names = Object.keys(operations);

/** Those that go the ways of others; in handlers, the others do. */
const alike = ["nextMessage", "write of a list", "write of a prepared message", "write of a Blob", "pong"];
const few = names.filter((name) => !alike.includes(name));

/** What two operations do to each other. */
function conflicts(first: string, second: string): (string | undefined)[] {
  const isReceived = first in receiving && second in receiving;
  return [operations[first]!.causes, operations[second]!.causes, isReceived ? "core.operation_pending" : undefined];
}

/** Runs two operations of an open stream, and says which if that fails. */
async function overlap(
  first: string,
  second: string,
  run: (using: Using) => void,
  failures?: readonly Failure[],
): Promise<void> {
  try {
    await anyFailure(async (each) => {
      const using = new Using(each);
      using.attach();
      run(using);
      await using.finish(...conflicts(first, second));
    }, failures && { failures });
  } catch (error) {
    throw new Error(`${first} and ${second}: ${(error as Error).message}`, { cause: error });
  }
}

describe("two operations", () => {
  for (const [index, first] of names.entries()) {
    it(`started in one tick: ${first}, and any other`, async () => {
      for (const second of names.slice(index)) {
        await overlap(first, second, (using) => {
          using.start(operations[first]!);
          using.start(operations[second]!);
        });
      }
    });
  }

  for (const first of few) {
    it(`one in the handler of ${first}: any`, async () => {
      for (const second of few) {
        await overlap(
          first,
          second,
          (using) => using.start(operations[first]!, () => using.start(operations[second]!)),
          endings,
        );
      }
    });
  }
});

describe("an operation beside the opening handshake", () => {
  for (const role of roles) {
    it(`as a ${role}: any`, async () => {
      for (const name of names) {
        const operation = operations[name]!;
        await anyFailure(async (run) => {
          const using = new Using(run, { role });
          using.open();
          using.start(operation);
          await quiet();
          using.start(operation);
          // Most have to wait for the handshake; one that closes the stream ends it.
          await using.finish(...conflicts(name, name), "core.operation_pending", "websocket.not_open", "core.aborted");
        });
      }
    });
  }
});

describe("an operation in a stream's own handler", () => {
  for (const event of ["open", "message", "drain", "control", "close", "error"] satisfies Told[]) {
    it(`${event}: any`, async () => {
      let calls = 0;
      for (const second of few) {
        const operation = operations[second]!;
        await anyFailure(
          async (run) => {
            let isFirst = true;
            const using: Using = new Using(run, {
              isPushed: true,
              at: (told) => {
                if (told !== event || !isFirst) return;
                isFirst = false;
                calls++;
                using.start(operation);
              },
            });
            using.attach();
            using.start(operations.send!);
            await using.finish(
              operation.causes,
              "websocket.pushed",
              event === "close" ? "websocket.closed" : undefined,
            );
          },
          { failures: endings },
        );
      }
      assert.ok(calls > few.length);
    });
  }
});
