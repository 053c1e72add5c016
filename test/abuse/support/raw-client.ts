// A client of a socket that speaks in bytes, so that nothing tested checks itself.
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { frame, pong, text } from "../../websocket/support/frames.ts";
import { requestBytes } from "../../websocket/support/requests.ts";

export class RawClient {
  readonly socket: Socket;
  /** Fulfils when the socket has closed, with its error, if any. */
  readonly closed: Promise<Error | undefined>;
  #received = "";
  #waiting: { isSo: (received: string) => boolean; resolve: () => void } | undefined;

  constructor(port: number, tls: boolean) {
    const target = { port, host: "127.0.0.1" };
    this.socket = tls ? connectTls({ ...target, rejectUnauthorized: false }) : connect(target);
    let error: Error | undefined;
    this.socket.on("error", (cause) => (error = cause));
    this.closed = new Promise((resolve) => this.socket.once("close", () => resolve(error)));
    this.socket.setEncoding("latin1").on("data", (data) => {
      this.#received += String(data);
      if (this.#waiting?.isSo(this.#received) === true) this.#waiting.resolve();
    });
  }

  /** All that has come, a character for each byte. */
  get received(): string {
    return this.#received;
  }

  send(...pieces: (string | Uint8Array)[]): void {
    for (const piece of pieces) this.socket.write(piece);
  }

  /** Waits until enough has come; throws if the socket closes before. */
  async until(isSo: (received: string) => boolean): Promise<void> {
    if (isSo(this.#received)) return;
    const enough = new Promise<void>((resolve) => (this.#waiting = { isSo, resolve }));
    const closed = this.closed.then((error) => {
      throw new Error(`it closed after ${JSON.stringify(this.#received.slice(-200))}`, { cause: error });
    });
    await Promise.race([enough, closed]);
  }

  /** Waits until the text has come as many times. */
  gets(text: string, times = 1): Promise<void> {
    return this.until((received) => received.split(text).length > times);
  }

  /** Opens a WebSocket. With `answers`, pings are answered. */
  async open(answers: boolean): Promise<this> {
    this.send(requestBytes({ Origin: undefined }));
    await this.gets("\r\n\r\n");
    if (answers) {
      this.socket.on("data", (data) => {
        if (String(data).charCodeAt(0) === 0x89) this.send(pong(Buffer.from(String(data).slice(2), "latin1")));
      });
    }
    return this;
  }

  /** Sends a message, and waits for it to come back. */
  async echo(message: string): Promise<void> {
    this.send(text(message));
    await this.gets(message);
  }

  /** Answers the server's close frame, and ends. */
  answerClose(): void {
    this.send(frame(8, Uint8Array.of(3, 0xe8)));
  }
}
