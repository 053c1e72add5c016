// What the guard expects of each operation. After a change that is meant, and with a new version of Node.js, print the
// numbers once the tests are compiled; `npm run test:matrix` installs the other versions.
//   node build/test/guard/support/print.js
//   .cache/node-24/node_modules/node/bin/node build/test/guard/support/print.js
import type { Counts } from "./run-count.ts";

/** The versions of Node.js that the numbers were seen with. */
export const seenWith = { 20: "20.20.2", 22: "22.23.3", 24: "24.21.0", 26: "26.10.0" } as const;

export type Major = keyof typeof seenWith;

/** A number for all versions of Node.js, or for each, and where it comes from. */
export interface Expected {
  readonly is: number | Readonly<Record<Major, number>>;
  readonly why: string;
}

/**
 * How much more fails, as a share. Counts are exact; functions and bytes leave room for a detail, but not for one more
 * call or object for each message of a batch or each subscriber. Bytes differ by 0.05 % from run to run at most.
 */
export const tolerance: Readonly<Record<keyof Counts, number>> = {
  reads: 0,
  writes: 0,
  promises: 0,
  tasks: 0,
  functions: 0.01,
  bytes: 0.01,
  buffers: 0.01,
};

/** The two ends in memory: each write and each delivery has a microtask. */
const tasksOfThePair = "All are of the two ends of the transport in memory: two for each write.";

/** All is counted in the interpreter. */
const entering =
  "Entering an async context takes 160 to 310 of Node.js's in the interpreter, and none once V8 has compiled it.";

const small = "Typed arrays of up to 64 bytes are on the heap, and what is sent stands in a buffer that is used again.";

export const expected: Readonly<Record<string, Readonly<Partial<Record<keyof Counts, Expected>>>>> = {
  "echo, one in flight": {
    reads: { is: 1, why: "The frame comes whole." },
    writes: { is: 1, why: "The reply is one frame, header and payload together." },
    promises: { is: 0, why: "A message makes no promise on its way to a plain handler and back." },
    tasks: { is: 4, why: tasksOfThePair },
    functions: {
      is: 75.2,
      why: "28 read and write at both ends of the transport; the others take the message and send the reply.",
    },
    bytes: {
      is: { 20: 882, 22: 882, 24: 1057, 26: 1057 },
      why: `The payload (some 570, with its copying), the list that is written, numbers of the rate; no closure. Some 40 are of the turns that a load in memory waits for, since it never lets the event loop turn by itself. ${entering}`,
    },
    buffers: { is: 0, why: small },
  },
  "echo, 28 in one read": {
    reads: { is: 1, why: "One read brings all 28 frames." },
    writes: { is: 1, why: "One write has the replies to all frames of a read." },
    promises: { is: 0, why: "A message makes no promise on its way to a plain handler and back." },
    tasks: { is: 4, why: `As many as for one message. ${tasksOfThePair}` },
    functions: {
      is: 649,
      why: "21 for each message more than the first; and what is spent of a turn, for some ten of them at once.",
    },
    bytes: {
      is: { 20: 10_000, 22: 10_000, 24: 10_608, 26: 10_583 },
      why: "The payload (280) and its event (56) for each message; nothing for its reply.",
    },
    buffers: { is: 0, why: small },
  },
  accept: {
    reads: { is: 2, why: "One for the request, and the one that waits for the first message." },
    writes: { is: 1, why: "The response is one buffer." },
    promises: { is: 0, why: "Nobody awaits the handshake." },
    tasks: {
      is: 9,
      why: "Four are of the two ends in memory, one ends the connection's HTTP, one begins the messages after `open`; three are the async contexts of the connection, the request and the handshake.",
    },
    functions: {
      is: 446,
      why: "Some 200 read the request and look its fields up, where a name of no such length is not searched for; 36 are of both ends of the transport; 7 set the deadlines of the request and the handshake by the time in which the loop could look.",
    },
    bytes: {
      is: { 20: 13_181, 22: 13_285, 24: 13_397, 26: 13_419 },
      why: `The HTTP connection, the request and its fields, the WebSocket and its session; the parser is used again. ${entering}`,
    },
    buffers: { is: 129, why: "The response." },
  },
  "connect, as the client": {
    reads: { is: 2, why: "One for the response, and the one that waits for the first message." },
    writes: { is: 1, why: "The request is one buffer." },
    promises: { is: 2, why: "That of the handshake, and the one that the caller makes of it." },
    tasks: {
      is: 6,
      why: "Four are of the two ends in memory, one is the async context of the handshake, one begins the messages after `open`.",
    },
    functions: {
      is: 348,
      why: "Some 150 parse the response and look its fields up, 45 check the options and make the settings, 28 are of both ends of the transport; the request is made as text.",
    },
    bytes: {
      is: { 20: 9776, 22: 9632, 24: 9792, 26: 9808 },
      why: `The settings, the limit, the handshake, the text of the request and the response, the WebSocket and its session. ${entering}`,
    },
    buffers: { is: 157, why: "The request." },
  },
  "publish to 100": {
    reads: { is: 0, why: "The reads that wait go on waiting." },
    writes: { is: 100, why: "One for each subscriber." },
    promises: { is: 0, why: "Nobody awaits a published message." },
    tasks: { is: 201, why: "Two for each write in memory, and one for all subscribers together." },
    functions: { is: 3711, why: "37 for each subscriber, 15 of them at both ends of its transport." },
    bytes: {
      is: { 20: 22_408, 22: 22_392, 24: 37_368, 26: 37_368 },
      why: `Some 120 for each subscriber, and a context that is entered; the message is framed once. ${entering}`,
    },
    buffers: {
      is: 170_472,
      why: "The frame, with room for its header (78), and 84 blocks of 2 KiB of the transport in memory.",
    },
  },
  "GET, http.serve": {
    reads: { is: 1, why: "The request comes whole." },
    writes: { is: 1, why: "The response leaves with its body." },
    promises: { is: 0, why: "The handler answers at once." },
    tasks: { is: 5, why: `One is the async context of the handler. ${tasksOfThePair}` },
    functions: {
      is: 207,
      why: "28 read and write at both ends of the transport; the others parse the request and make the response.",
    },
    bytes: {
      is: { 20: 3159, 22: 3164, 24: 3340, 26: 3338 },
      why: `The request and its fields, and the response's head; the parser is used again; the handler's response is the handler's. ${entering}`,
    },
    buffers: { is: 0, why: "The response is written into a block that is used again." },
  },
  "GET, serve({ fetch })": {
    reads: { is: 1, why: "The request comes whole." },
    writes: { is: 1, why: "The response leaves with its body, which from Node.js 24 on is awaited for a moment." },
    promises: {
      is: { 20: 3, 22: 3, 24: 5, 26: 5 },
      why: "Those that the platform makes with a `Response`; from Node.js 24 on also the wait for its body.",
    },
    tasks: {
      is: { 20: 5, 22: 5, 24: 7, 26: 7 },
      why: "Four are of the two ends in memory, one is the async context of the handler; from Node.js 24 on the stream is watched while the body is awaited.",
    },
    functions: {
      is: { 20: 262, 22: 262, 24: 296, 26: 296 },
      why: "Those of a GET by http.serve, and those of the standard types; see bytes for the versions. Two make and end what a drain tells the handler.",
    },
    bytes: {
      is: { 20: 4357, 22: 4333, 24: 12_962, 26: 12_963 },
      why: "What http.serve takes, and the standard objects; from Node.js 24 on also the platform's `Request`, which nothing can stand in for.",
    },
    buffers: { is: { 20: 0, 22: 0, 24: 6, 26: 6 }, why: "The body, where it is taken from its stream." },
  },
  "an idle WebSocket": {
    bytes: {
      is: { 20: 2003, 22: 2011, 24: 2011, 26: 2011 },
      why: "The WebSocket, its connection with its parts, its place among the server's, 8 for the memory that small payloads share, 90 for its async context and 64 for what it spends of a turn.",
    },
  },
};
