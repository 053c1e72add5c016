// Every operation of a stream, alone and beside any other, with each operation of the transport below failing in each way.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { everyFailure, type EveryFailureOptions, type Failure } from "../../../src/testing/index.ts";
import { liveContexts } from "../../../src/websocket/deflate/zlib.ts";
import { anyFailure } from "../../support/any-failure.ts";
import { quiet } from "../../support/quiet.ts";
import { roles } from "./client-kit.ts";
import { operations, receiving, Using, type Connect, type Operation, type Told, type Use } from "./operations.ts";

/** Both roles, with and without compression. */
const uses = roles.flatMap((role) => [false, true].map((deflates): Use => ({ role, deflates })));

/** In handlers, what ends the stream. */
const endings: readonly Failure[] = ["error", "end", "reset", "abort"];

const names = Object.keys(operations);

/** Those that go the ways of others; in handlers, the others do. */
const alike = ["nextMessage", "write of a list", "write of a prepared message", "write of a Blob", "pong"];
const few = names.filter((name) => !alike.includes(name));

/** Every operation alone, beside a ping, over connections that this makes. */
export function everyOperationAlone(connect: Connect): void {
  async function everyRun(use: Use, operation: Operation, options?: EveryFailureOptions): Promise<readonly string[]> {
    return everyFailure(async (run) => {
      const using = await Using.over(connect, run, use);
      using.open(() => {
        using.start(operation);
        using.startPromise(operations.ping!);
      });
      await using.finish(operation.causes);
    }, options);
  }

  before(async () => {
    // Contexts that are free stay in pools.
    for (const use of uses) {
      for (const name of ["for await", "write of frames"]) await everyRun(use, operations[name]!, { failures: [] });
    }
  });

  for (const use of uses) {
    describe(`as a ${use.role}${use.deflates === true ? " that compresses" : ""}, whatever fails below`, () => {
      for (const [name, operation] of Object.entries(operations)) {
        it(`${name} completes once, and nothing is left`, async () => {
          const contexts = liveContexts();
          const runs = await everyRun(use, operation);
          // Who terminates a server's stream has seen one write, of the response.
          assert.ok(runs.length >= (name === "terminate" ? 6 : 12), runs.join());
          assert.equal(liveContexts(), contexts, "a deflate context is left");
        });
      }
    });
  }
}

/** What two operations do to each other. */
function conflicts(first: string, second: string): (string | undefined)[] {
  const isReceived = first in receiving && second in receiving;
  return [operations[first]!.causes, operations[second]!.causes, isReceived ? "core.operation_pending" : undefined];
}

/** Runs two operations of an open stream, and says which if that fails. */
async function overlap(
  connect: Connect,
  [first, second]: readonly [string, string],
  run: (using: Using) => void,
  failures?: readonly Failure[],
): Promise<void> {
  try {
    await anyFailure(async (each) => {
      const using = await Using.over(connect, each);
      using.attach();
      run(using);
      await using.finish(...conflicts(first, second));
    }, failures && { failures });
  } catch (error) {
    throw new Error(`${first} and ${second}: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Every two operations that overlap, over connections that this makes. Over those that take long, two in one tick without
 * those that go the ways of others, and these failures alone.
 */
export function everyTwoOperations(connect: Connect, failures?: readonly Failure[]): void {
  const inOneTick = failures === undefined ? names : few;

  describe("two operations", () => {
    for (const [index, first] of inOneTick.entries()) {
      it(`started in one tick: ${first}, and any other`, async () => {
        for (const second of inOneTick.slice(index)) {
          const both = (using: Using): void => {
            using.start(operations[first]!);
            using.start(operations[second]!);
          };
          await overlap(connect, [first, second], both, failures);
        }
      });
    }

    for (const first of few) {
      it(`one in the handler of ${first}: any`, async () => {
        for (const second of few) {
          const both = (using: Using): void => using.start(operations[first]!, () => using.start(operations[second]!));
          await overlap(connect, [first, second], both, endings);
        }
      });
    }
  });

  describe("an operation beside the opening handshake", () => {
    for (const role of roles) {
      it(`as a ${role}: any`, async () => {
        for (const name of names) await besideHandshake(connect, { role }, name);
      });
    }
  });

  describe("an operation in a stream's own handler", () => {
    for (const event of ["open", "message", "drain", "control", "close", "error"] satisfies Told[]) {
      it(`${event}: any`, async () => {
        let calls = 0;
        for (const name of few) calls += await inHandler(connect, event, operations[name]!);
        assert.ok(calls > few.length);
      });
    }
  });
}

/** An operation at the beginning of the opening handshake, and again while that goes on. */
async function besideHandshake(connect: Connect, use: Use, name: string): Promise<void> {
  const operation = operations[name]!;
  await anyFailure(async (run) => {
    const using = await Using.over(connect, run, use);
    using.open();
    using.start(operation);
    await quiet();
    using.start(operation);
    // Most have to wait for the handshake; one that closes the stream ends it.
    await using.finish(...conflicts(name, name), "core.operation_pending", "websocket.not_open", "core.aborted");
  });
}

/** An operation inside a handler of the stream, at its first call; returns how often that was. */
async function inHandler(connect: Connect, event: Told, operation: Operation): Promise<number> {
  let calls = 0;
  await anyFailure(
    async (run) => {
      let isFirst = true;
      const using: Using = await Using.over(connect, run, {
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
      await using.finish(operation.causes, "websocket.pushed", event === "close" ? "websocket.closed" : undefined);
    },
    { failures: endings },
  );
  return calls;
}
