import { Duplex } from "node:stream";

/** One end of a connection in memory: what is written here is read there. */
export class End extends Duplex {
  /** What was written, write by write. */
  readonly writes: Buffer[] = [];
  other!: End;
  /** Whether writes complete; if not, `complete` lets them. */
  isSlow = false;
  #written: ((error?: Error) => void)[] = [];

  complete(): void {
    for (const written of this.#written.splice(0)) written();
  }

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: string, callback: (error?: Error) => void): void {
    this.writes.push(bytes);
    this.other.push(bytes);
    if (this.isSlow) this.#written.push(callback);
    else callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    for (const written of this.#written.splice(0)) {
      written(Object.assign(new Error("destroyed"), { code: "ERR_STREAM_DESTROYED" }));
    }
    callback(error);
  }

  override _final(callback: () => void): void {
    this.other.push(null);
    callback();
  }
}

/** Two ends of one connection. */
export function duplexPair(): [End, End] {
  const [one, other] = [new End({ allowHalfOpen: true }), new End({ allowHalfOpen: true })];
  one.other = other;
  other.other = one;
  return [one, other];
}
