import assert from "node:assert/strict";
import { test } from "node:test";
import { Command } from "../cli/support/command.ts";
import { Client, openMany } from "./support/client.ts";
import { Target } from "./support/target.ts";

/** How many messages a client has sent that are not acknowledged. */
const inFlight = 4;

/** A client that sends numbered messages all the time, whatever comes, until its connection ends. */
class Talker {
  readonly client: Client;
  /** How many of its messages have come back. */
  acknowledged = 0;
  readonly #text: (number: number) => string;
  readonly #isDone: (answer: string, number: number) => boolean;
  readonly #heard: () => void;
  #sent = 0;

  constructor(
    client: Client,
    text: (number: number) => string,
    isAnswer: (answer: string, number: number) => boolean,
    heard: () => void,
  ) {
    this.client = client;
    this.#text = text;
    this.#isDone = isAnswer;
    this.#heard = heard;
    client.onMessage = (message) => {
      const answer = message.toString();
      assert.ok(client.code === undefined, "a message came behind the close frame");
      assert.ok(this.#isDone(answer, ++this.acknowledged), answer);
      this.#heard();
      this.#send();
    };
  }

  start(): void {
    for (let i = 0; i < inFlight; i++) this.#send();
  }

  #send(): void {
    if (this.client.socket.writable) this.client.text(this.#text(++this.#sent));
  }
}

/** Lets clients talk until so many of their messages have come back. */
async function talk(talkers: readonly Talker[], heard: Promise<void>): Promise<void> {
  for (const talker of talkers) talker.start();
  await heard;
}

/** Resolves at the `count`th call. */
function counter(count: number): { heard: () => void; enough: Promise<void> } {
  let resolve!: () => void;
  const enough = new Promise<void>((done) => (resolve = done));
  let calls = 0;
  return { heard: () => void (++calls === count && resolve()), enough };
}

test("a server that drains under load loses no acknowledged message, and every client gets 1001", async (t) => {
  const count = 1000;
  const target = await Target.start(t, { kind: "acknowledge" });
  const { heard, enough } = counter(20 * count);
  const clients = await openMany(count, () => Client.open(target));
  const talkers = clients.map(
    (client, i) =>
      new Talker(
        client,
        (number) => `${i} ${number}`,
        (answer, number) => answer === `${number}`,
        heard,
      ),
  );
  await talk(talkers, enough);
  await target.wasCalm(t);
  const [{ report, stats, handled }, ends] = await Promise.all([
    target.end(),
    Promise.all(clients.map((client) => client.ended)),
  ]);
  for (const end of ends) assert.deepEqual(end, { code: 1001, error: undefined });
  const { duration, ...ways } = report;
  t.diagnostic(`drained in ${duration.toFixed()} ms, ${stats.messagesReceived} messages`);
  assert.deepEqual(ways, { closed: count, terminated: 0, lost: 0, finished: 0, cut: 0 });
  assert.deepEqual([stats.closed, stats.errors, stats.sockets], [{ 1001: count }, {}, 0]);
  for (const [i, { acknowledged }] of talkers.entries()) {
    assert.ok(
      acknowledged > 0 && handled[i]! >= acknowledged,
      `${i}: ${acknowledged} acknowledged, ${handled[i]} handled`,
    );
  }
});

for (const command of ["echo", "serve"] as const) {
  test(`serval ${command} that gets SIGTERM under load closes all clients with 1001, and exits with 0`, async () => {
    const count = 200;
    await using running = new Command(command, "--port", "0");
    const url = new URL(await running.url("ws"));
    const target = { port: Number(url.port) };
    const { heard, enough } = counter(20 * count);
    const clients = await openMany(count, () => Client.open(target, { path: url.pathname }));
    const text = (number: number): string => `message ${number}`;
    const talkers = clients.map((client) => new Talker(client, text, (echo, number) => echo === text(number), heard));
    await talk(talkers, enough);
    running.kill("SIGTERM");
    const [{ code, signal }, ...ends] = await Promise.all([running.ended, ...clients.map((client) => client.ended)]);
    assert.deepEqual([code, signal], [0, null]);
    for (const end of ends) assert.deepEqual(end, { code: 1001, error: undefined });
  });
}
