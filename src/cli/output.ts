// What the command writes. Its reader may have gone (`serval --help | head -1`): that is no reason to end a server.

/** The streams that the command writes to. */
export interface Output {
  /** What was asked for. */
  out(text: string): void;
  /** What went wrong. */
  err(text: string): void;
}

/** The part of a stream that is used. */
export interface Sink {
  on(event: "error", listener: (error: Error) => void): unknown;
  write(text: string): unknown;
}

/** Writes to two streams, such as the process's own; goes on if they fail. */
export function outputTo(stdout: Sink, stderr: Sink): Output {
  for (const stream of [stdout, stderr]) stream.on("error", ignore);
  return { out: (text) => void stdout.write(text), err: (text) => void stderr.write(text) };
}

function ignore(): void {}
