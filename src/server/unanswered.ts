import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ServerResponse } from "node:http";

/** The responses of each connection of `node:http` that may not have been sent yet, in the order of their requests. */
const responses = new WeakMap<object, ServerResponse[]>();

/** How many users there are of the records. */
let users = 0;

/** `node:http` announces each request here, also one with `Expect`, which no event tells of in every case. */
const channel = "http.server.request.start";

/** Begins to record the requests of all servers of `node:http`. Returns a function that ends it. */
export function recordResponses(): () => void {
  if (users++ === 0) subscribe(channel, record);
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    if (--users === 0) unsubscribe(channel, record);
  };
}

/** The responses that `node:http` still has to send on a connection, in order. */
export function unansweredOf(socket: object): readonly ServerResponse[] {
  return (responses.get(socket) ?? []).filter((response) => !isOver(response));
}

function record(message: unknown): void {
  const { socket, response } = message as { socket: object; response: ServerResponse };
  const before = responses.get(socket);
  if (before === undefined) responses.set(socket, [response]);
  else {
    // Each request removes what has been sent: a client may always have another one in flight.
    const pending = before.findIndex((each) => !isOver(each));
    before.splice(0, pending < 0 ? before.length : pending);
    before.push(response);
  }
}

function isOver(response: ServerResponse): boolean {
  return response.writableFinished || response.destroyed;
}
