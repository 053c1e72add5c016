// The output of a command. Its reader may be gone (`serval --help | head -1`); that must not end a server.

/** The streams that the command writes to. */
export interface Output {
  /** Writes a result, to stdout. */
  out(text: string): void;
  /** Writes a failure or note, to stderr. */
  err(text: string): void;
  /** The width of the terminal that `err` writes to; undefined if it is no terminal. */
  readonly columns?: number | undefined;
}

/** The part of a stream that {@link outputTo} uses. */
export interface Sink {
  on(event: "error", listener: (error: Error) => void): unknown;
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** Writes to two streams, such as those of the process; ignores their failures. */
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
