import { FrameCounter } from "./frame-counter.ts";
import { closeFrame } from "./frames.ts";
import { Run, type LoadResult } from "./run.ts";
import { openWebSocket } from "./upgrade.ts";
import type { Wire } from "./wire.ts";

const atOnce = 32;

/** Opens connections and ends them, for so long or so many; the latency is that of the opening. */
export async function churn(
  port: number,
  end: "reset" | "handshake",
  { milliseconds = Infinity, count = Infinity }: { milliseconds?: number; count?: number },
): Promise<LoadResult> {
  const run = new Run(milliseconds);
  let begun = 0;
  const some = async (): Promise<void> => {
    let now = performance.now();
    while (begun++ < count && !run.isOver(now)) {
      const wire = await openWebSocket(port);
      now = run.done(now);
      if (end === "reset") wire.reset();
      else now = await closed(wire);
    }
  };
  Promise.all(Array.from({ length: atOnce }, some)).then(
    () => run.finish(),
    (error: unknown) => run.fail(error as Error),
  );
  return run.result;
}

/** Closes in an orderly way: the server answers the close frame, then ends the connection (RFC 6455 section 7.1.1). */
function closed(wire: Wire): Promise<number> {
  return new Promise((resolve, reject) => {
    const counter = new FrameCounter();
    wire.onData = (bytes, length) => void counter.count(bytes, length);
    wire.onEnd = () => {
      wire.close();
      if (counter.isClosed) resolve(performance.now());
      else reject(new Error("a connection ended without a close frame"));
    };
    wire.send(closeFrame);
  });
}
