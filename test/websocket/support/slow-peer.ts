// A peer that takes what it is sent slowly, or not at all, and sources to send from.
import assert from "node:assert/strict";
import type { Role } from "../../../src/core/index.ts";
import type { StreamOptions } from "../../../src/websocket/index.ts";
import { open, type Connection, type Setup } from "./client-kit.ts";
import { frame } from "./frames.ts";
import { quiet } from "../../support/quiet.ts";

/** A connection whose peer takes 250 bytes when it is told to, and has room for 500. */
export async function slow(role: Role, options: StreamOptions = {}, setup: Setup = {}): Promise<Connection> {
  const connection = await open(role, options, { peerPair: { capacity: 500, maxRead: 250 }, ...setup });
  connection.peer.pause();
  return connection;
}

/** One whose peer has no room for anything more; the first frame that it received is none of the test's. */
export async function stuck(role: Role, options: StreamOptions = {}): Promise<Connection> {
  const connection = await slow(role, options);
  connection.ws.send(new Uint8Array(1500));
  await quiet();
  assert.equal(connection.peer.stream.unread, 500);
  return connection;
}

/** What the peer got behind the first frame of `stuck`. */
export const behind = ({ frames }: Connection): string[] => frames.slice(1);

/** A source that notes what is asked of it: how often, and whether it was told to end. */
export class Source implements AsyncIterableIterator<string | Uint8Array> {
  asked = 0;
  ended = 0;
  readonly #next: (count: number) => unknown;

  constructor(next: (count: number) => unknown) {
    this.#next = next;
  }

  async next(): Promise<IteratorResult<string | Uint8Array>> {
    const value = (await this.#next(this.asked++)) as string | undefined;
    return value === undefined ? { done: true, value } : { done: false, value };
  }

  return(): Promise<IteratorResult<string | Uint8Array>> {
    this.ended++;
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

export const never: Promise<never> = new Promise<never>(() => {});

/** A control frame that there is not: data would have to wait for a reader. */
export const wrong = ({ role }: Connection): Uint8Array => frame(11, "", role === "client" ? { key: undefined } : {});
