// What the command writes. Its reader may have gone (`serval --help | head -1`): that is no reason to end a server.

/** The streams that the command writes to. */
export interface Output {
  /** What was asked for. */
  out(text: string): void;
  /** What went wrong. */
  err(text: string): void;
  /** How many columns the terminal has that `err` goes to; missing where it goes to no terminal. */
  readonly columns?: number | undefined;
}

/** The part of a stream that is used. */
export interface Sink {
  on(event: "error", listener: (error: Error) => void): unknown;
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** Writes to two streams, such as the process's own; goes on if they fail. */
export function outputTo(stdout: Sink, stderr: Sink): Output {
  for (const stream of [stdout, stderr]) stream.on("error", ignore);
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    get columns() {
      return stderr.isTTY === true ? (stderr.columns ?? 80) : undefined;
    },
  };
}

function ignore(): void {}
