import type { Handler } from "../../core/index.ts";
import { Fields } from "../messages/fields.ts";
import { IncomingBody, type BodySource } from "../operations/incoming-body.ts";

/** The body of a request that came together with its head, whole: nothing waits for it. */
export class ReceivedBody implements BodySource {
  /** The body as the handler sees it. */
  readonly incoming: IncomingBody = new IncomingBody(this);
  readonly contentLength: number;
  #bytes: Uint8Array | undefined;

  constructor(bytes: Uint8Array) {
    this.contentLength = bytes.length;
    this.#bytes = bytes;
  }

  get isDone(): boolean {
    return this.#bytes === undefined;
  }

  get trailers(): Fields {
    return new Fields();
  }

  takeWhole(): Uint8Array | undefined {
    const bytes = this.#bytes;
    this.#bytes = undefined;
    return bytes;
  }

  /** The exchange is over: what was not read can't be read any more. */
  drop(): void {
    if (this.takeWhole() !== undefined) this.incoming.detach(ignore);
  }

  readPart(handler: Handler<Uint8Array | undefined>): void {
    handler(undefined, this.takeWhole());
  }
}

function ignore(): void {}
