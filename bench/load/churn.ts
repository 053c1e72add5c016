import { FrameCounter } from "./frame-counter.ts";
import { closeFrame } from "./frames.ts";
import { requestBytes, responseSize, type HttpForm } from "./http-forms.ts";
import { Run, type LoadResult } from "./run.ts";
import { openWebSocket } from "./upgrade.ts";
import { ask, openWire, type Wire } from "./wire.ts";

/** How many connections there are at once. */
const atOnce = 50;

/** How long connections are opened, or how many. */
interface Limits {
  readonly milliseconds?: number;
  readonly count?: number;
}

/** Opens WebSockets and ends them; the latency is that of the opening. */
export function churn(port: number, end: "reset" | "handshake", limits: Limits): Promise<LoadResult> {
  return repeated(limits, async (opened) => {
    const wire = await openWebSocket(port);
    opened();
    if (end === "reset") wire.reset();
    else await closed(wire);
  });
}

/** Sends requests, each on a connection of its own that the server ends; the latency is that of the response. */
export function requests(port: number, form: HttpForm, limits: Limits): Promise<LoadResult> {
  const request = requestBytes(form, true);
  return repeated(limits, async (replied) => {
    const wire = await openWire(port);
    await ask(wire, request, (received) => responseSize(form, received) > 0);
    replied();
    await new Promise<void>((resolve) => (wire.onEnd = resolve));
    wire.close();
  });
}

/** Does this over and over, some at once; it calls back when the operation that counts is done. */
function repeated(
  { milliseconds = Infinity, count = Infinity }: Limits,
  operate: (done: () => void) => Promise<void>,
): Promise<LoadResult> {
  const run = new Run(milliseconds);
  let begun = 0;
  const some = async (): Promise<void> => {
    let now = performance.now();
    while (begun++ < count && !run.isOver(now)) {
      const start = now;
      await operate(() => void run.done(start));
      now = performance.now();
    }
  };
  Promise.all(Array.from({ length: atOnce }, some)).then(
    () => run.finish(),
    (error: unknown) => run.fail(error as Error),
  );
  return run.result;
}

/** Closes in an orderly way: the server answers the close frame, then ends the connection (RFC 6455 section 7.1.1). */
function closed(wire: Wire): Promise<void> {
  return new Promise((resolve, reject) => {
    const counter = new FrameCounter();
    wire.onData = (bytes, length) => void counter.count(bytes, length);
    wire.onEnd = () => {
      wire.close();
      if (counter.isClosed) resolve();
      else reject(new Error("a connection ended without a close frame"));
    };
    wire.send(closeFrame);
  });
}
