// Cases on the wire: what the peer sends an open endpoint, and what has to come of it, however the bytes are cut.
import assert from "node:assert/strict";
import { it } from "node:test";
import type { CloseInfo, Role, ServalError } from "../../../src/core/index.ts";
import type { MessageData } from "../../../src/websocket/index.ts";
import { concat, single } from "../../websocket/support/frames.ts";
import { quiet } from "../../support/quiet.ts";
import { seed } from "../../support/property.ts";
import { open, roles, type Endpoint, type EndpointSetup, type Speaker } from "./endpoint.ts";

/** What the peer sends, and what has to come of it. */
export interface WireCase {
  /** The bytes, in the peer's voice. */
  bytes: (say: Speaker) => Uint8Array | readonly Uint8Array[];
  /** The messages that arrive. Default none. */
  messages?: readonly MessageData[];
  /** The frames that we send, as short texts. Default none but the close. */
  answers?: readonly string[];
  /** The violation that fails the connection, and the code of the close frame. Otherwise the peer closes in the end. */
  fails?: readonly [error: string, code: number];
  /** How the connection ends where the bytes end it in order. */
  closes?: CloseInfo;
  setup?: EndpointSetup;
}

/** Bytes in random pieces, by the seed. */
export function cut(bytes: Uint8Array, seed: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let state = seed;
  for (let at = 0; at < bytes.length;) {
    // A linear congruential generator is random enough.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const size = 1 + ((state >>> 16) % (state >>> 31 === 0 ? 6 : 1 + (bytes.length >> 1)));
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

/** More than this takes too long byte by byte. */
const small = 3000;

type Way = readonly [name: string, isPulled: boolean, pieces: (bytes: Uint8Array) => readonly Uint8Array[]];

function ways(size: number): readonly Way[] {
  return [
    ["whole", false, (bytes) => [bytes]],
    ["whole, pulled", true, (bytes) => [bytes]],
    ...(size > small ? [] : [["byte by byte", false, single] as Way]),
    [`in pieces, SEED=${seed}`, false, (bytes) => cut(bytes, seed)],
    [`in pieces, pulled, SEED=${seed}`, true, (bytes) => cut(bytes, seed)],
  ];
}

/** A test for each role: the requirement, under the number of its section, and a case that shows it. */
export function wire(
  requirement: string,
  given: WireCase | ((role: Role) => WireCase),
  only: readonly Role[] = roles,
): void {
  for (const role of only) {
    it(`${requirement} [${role}]`, async () => {
      const wanted = typeof given === "function" ? given(role) : given;
      const size = bytesOf(wanted, (await open(role, wanted.setup)).say).length;
      for (const [name, isPulled, pieces] of ways(size)) {
        try {
          await run(role, wanted, isPulled, pieces);
        } catch (error) {
          if (error instanceof Error) error.message = `${name}: ${error.message}`;
          throw error;
        }
      }
    });
  }
}

function bytesOf({ bytes }: WireCase, say: Speaker): Uint8Array {
  const list = bytes(say);
  return list instanceof Uint8Array ? list : concat(...list);
}

async function run(role: Role, wanted: WireCase, pulled: boolean, pieces: Way[2]): Promise<void> {
  const endpoint = await open(role, { ...wanted.setup, pulled });
  const reading = pulled ? readAll(endpoint) : undefined;
  const { say } = endpoint;
  // Behind what ends a connection nothing counts any more: neither data, nor the answer to a close frame.
  const ending = wanted.fails ?? wanted.closes;
  const behind = ending === undefined ? [] : [say.text("too late"), say.ping("too late"), say.close(1001)];
  for (const piece of pieces(concat(bytesOf(wanted, say), ...behind))) await endpoint.hear(piece);

  const { messages = [], answers = [], fails, closes } = wanted;
  if (ending === undefined) {
    assert.deepEqual(endpoint.frames, answers, "what we answer");
    assert.equal(endpoint.ws.isOpen, true);
    await endpoint.hear(say.close(1000, "bye"));
  }
  const info = await endpoint.end();
  const error = await reading;
  assert.deepEqual(endpoint.messages, messages, "what arrives");
  if (fails === undefined) {
    const end = closes ?? { code: 1000, reason: "bye", clean: true };
    assert.deepEqual(info, end);
    assert.deepEqual(endpoint.errors, []);
    assert.deepEqual(endpoint.frames, [...answers, end.code === 1005 ? "close" : `close ${end.code}`]);
    if (pulled) assert.deepEqual([error?.code, error?.close], ["websocket.closed", end]);
  } else {
    const [code, closeCode] = fails;
    assert.deepEqual([info.code, info.clean], [closeCode, false]);
    assert.equal(pulled ? error?.code : endpoint.errors.join(), code);
    assert.deepEqual(endpoint.frames, [...answers, `close ${closeCode}${info.reason}`]);
  }
}

/** Reads to the end; fulfils with the error that is the end. */
async function readAll({ ws, messages }: Endpoint): Promise<ServalError> {
  for (;;) {
    try {
      messages.push(await ws.read());
    } catch (error) {
      await quiet();
      return error as ServalError;
    }
  }
}
