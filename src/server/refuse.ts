import type { ByteStream, Clock } from "../core/index.ts";
import { Response, write } from "../http/index.ts";
import { Lingering } from "../http/internal.ts";

/** How many milliseconds a client has to read a refusal and end its side. */
const lingerMs = 2_000;

/** How many refused connections may be ending; more are closed at once. */
const mostRefused = 1_000;
let refused = 0;

/** The response to a connection over the limit of its address. */
export function tooManyFromAddress(): Response {
  const body = "There are too many connections from this address\n";
  return new Response({ status: 429, headers: { "Retry-After": "10" }, body });
}

/** The response to a connection over the limit of the server. */
export function tooMany(): Response {
  return new Response({ status: 503, headers: { "Retry-After": "10" }, body: "There are too many connections\n" });
}

/** Sends a response on a stream that is not read, and ends the stream; never waits for long. */
export function refuse(stream: ByteStream, response: Response, clock: Clock): void {
  if (refused >= mostRefused) {
    stream.close();
    return;
  }
  refused++;
  // From now on, since a client may also be slow to take the response.
  const lingering = new Lingering(stream, clock, lingerMs, () => {
    refused--;
    stream.close();
  });
  response.headers.set("Connection", "close");
  try {
    write(stream, response, (error) => {
      if (error === undefined) lingering.start(false);
      else lingering.end();
    });
  } catch {
    lingering.end();
  }
}
