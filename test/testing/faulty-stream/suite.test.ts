import { Plan } from "../../../src/testing/failure.ts";
import { pair } from "../../../src/testing/index.ts";
import { RunState } from "../../../src/testing/run.ts";
import { byteStreamSuite } from "../../core/support/byte-stream-suite.ts";

/** A faulty stream is one like any other: where nothing has failed yet, and where an operation was late. */
function suite(name: string, plan: () => Plan): void {
  byteStreamSuite(name, () => {
    const [next, peer] = pair();
    const stream = new RunState(plan(), 0).wrap(next);
    return { stream, peer, endPeer: () => peer.end(), reset: () => peer.reset() };
  });
}

suite("a faulty stream before its failure", () => new Plan("error", 1_000_000));
suite("a faulty stream whose first operation is late", () => new Plan("delay", 1));
