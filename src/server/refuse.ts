import { teardown, type ByteStream, type Clock } from "../core/index.ts";
import { Response, write } from "../http/index.ts";

/** How many milliseconds a client has to read a refusal and end its side. */
const lingerMs = 2_000;

/** How many refused connections may linger; more are closed at once. */
const mostLingering = 1_000;
let lingering = 0;

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
  if (lingering >= mostLingering) {
    stream.close();
    return;
  }
  lingering++;
  const timer = clock.setTimer(lingerMs, () => stream.close());
  timer.unref?.();
  const end = (): void => {
    lingering--;
    timer.cancel();
    stream.close();
  };
  response.headers.set("Connection", "close");
  try {
    write(stream, response, (error) => {
      if (error !== undefined) end();
      // Closed at once with unread bytes, a socket would be reset, and the client might lose the response.
      else teardown(stream, "server", end);
    });
  } catch {
    end();
  }
}
