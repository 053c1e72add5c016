import { coreError, type Handler, type ServalError } from "../../core/index.ts";
import { encodeUtf8 } from "../../core/internal.ts";
import type { Application } from "./application.ts";
import type { Inflater } from "../deflate/deflate.ts";
import { websocketError, type WebsocketCode } from "../frames/errors.ts";
import type { ControlKind, MessageData } from "../options/handlers.ts";
import { event, found, take, type Event, type Take } from "../protocol/event.ts";
import type { Protocol } from "../protocol/protocol.ts";
import { tell } from "./tell.ts";

/** A part of a message: what `readSome` receives. */
export interface ReceivedPart {
  /** The bytes; of a text in UTF-8, checked, and cut anywhere. Possibly none. */
  readonly bytes: Uint8Array;
  /** What the message is. */
  readonly kind: "text" | "binary";
  /** Whether the message ends with them. */
  readonly done: boolean;
}

/** What a receiver asks of its session. */
export interface ReceiverOwner {
  /** Nothing is taken from the peer any more. */
  readonly isOver: boolean;
  /** We have closed: data that still comes is dropped. */
  readonly isClosing: boolean;
  /** What reads complete with at the end. */
  closedError(): ServalError;
  /** Takes another turn after the current call. */
  turnSoon(): void;
  /** A whole message goes to the application. */
  received(message: MessageData): void;
  /** A pong has come. */
  ponged(payload: Uint8Array): void;
  /** The peer went wrong. */
  violated(error: ServalError): void;
}

const controlKinds: Readonly<Record<number, ControlKind>> = {
  [event.ping]: "ping",
  [event.pong]: "pong",
  [event.close]: "close",
};

/**
 * The receiving half of a connection: takes events from the protocol while someone wants them, and hands them to the
 * application's handlers or to the read that waits.
 */
export class Receiver<Ws> {
  /** How often data came that nobody waited for. */
  pauses = 0;

  readonly #protocol: Protocol;
  readonly #application: Application<Ws>;
  readonly #inflater: Inflater | undefined;
  readonly #owner: ReceiverOwner;
  /** The read that waits for a message, or for a part of one, as `#taking` says. */
  #reader: Handler<unknown> | undefined;
  #taking: Take = take.message;
  /** A message is being inflated elsewhere: what follows it waits. */
  #isInflating = false;
  /** A message is there that nobody has got yet. */
  #held: MessageData | undefined;
  /** Data has come that nobody waited for, and nothing is read before someone does. */
  #isPaused = false;

  constructor(protocol: Protocol, application: Application<Ws>, inflater: Inflater | undefined, owner: ReceiverOwner) {
    this.#protocol = protocol;
    this.#application = application;
    this.#inflater = inflater;
    this.#owner = owner;
  }

  /** Waits for the next message, or the next part of one. One at a time. */
  read(taking: Take, handler: Handler<unknown>): void {
    if (this.#application.isPushed) throw websocketError("websocket.pushed");
    if (this.#reader !== undefined) {
      throw coreError("core.operation_pending", { message: "A read is in progress: await it before the next" });
    }
    if (taking === take.message && this.#protocol.incoming.isInParts) {
      throw websocketError("websocket.message_in_progress");
    }
    this.#reader = handler;
    this.#taking = taking;
    if (this.#owner.isOver) queueMicrotask(() => this.end());
  }

  /** Gives up a read; what it waited for stays for the next one. False if it has completed. */
  cancel(handler: unknown): boolean {
    if (this.#reader !== handler) return false;
    this.#reader = undefined;
    return true;
  }

  /** Nothing comes any more. */
  end(): void {
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader !== undefined) tell(reader, this.#owner.closedError(), undefined);
  }

  /** Takes events while someone wants them; returns whether more bytes are needed for the next. */
  take(): boolean {
    for (;;) {
      if (this.#isInflating) return false;
      // Once we have closed, data is dropped.
      if (this.#held !== undefined && !this.#owner.isClosing) return this.#deliverHeld();
      const next = this.#protocol.next(this.#wanted);
      if (next === undefined) {
        this.#isPaused = false;
        return true;
      }
      if (!this.#handle(next) || this.#owner.isOver) return false;
    }
  }

  get #wanted(): Take {
    if (this.#application.isPushed) return this.#application.isBusy ? take.nothing : take.message;
    return this.#reader === undefined ? take.nothing : this.#taking;
  }

  /** Does what an event asks for; returns whether the next may be taken in this turn. */
  #handle(taken: Event): boolean {
    switch (taken) {
      case event.data:
        if (!this.#isPaused) this.pauses++;
        this.#isPaused = true;
        return false;
      case event.message:
        return this.#takeMessage(found.message);
      case event.part:
        this.#deliverPart(found.part, found.isLast);
        return false;
      case event.deflated:
        this.#inflate();
        return false;
      case event.failed:
        this.#owner.violated(this.#protocol.failure!);
        return true;
      default:
        if (taken === event.pong) this.#owner.ponged(found.control);
        this.#application.control(controlKinds[taken]!, found.control);
        return true;
    }
  }

  #takeMessage(message: MessageData): boolean {
    if (!this.#application.isPushed) {
      this.#held = message;
      return this.#deliverHeld();
    }
    this.#owner.received(message);
    this.#application.message(message);
    return true;
  }

  /** The reader may answer before the next frame is looked at, which may be the peer's close. */
  #deliver(result: MessageData | ReceivedPart): void {
    const reader = this.#reader!;
    this.#reader = undefined;
    tell(reader, undefined, result);
    this.#owner.turnSoon();
  }

  #deliverPart(bytes: Uint8Array, done: boolean): void {
    this.#deliver({ bytes, kind: this.#protocol.incoming.isText ? "text" : "binary", done });
  }

  /** Inflates a large message off the event loop's thread. */
  #inflate(): void {
    this.#isInflating = true;
    this.#inflater!.inflateLater(found.deflated, this.#protocol.incoming.inflatedLimit, (result) =>
      this.#inflated(result),
    );
  }

  #inflated(result: Uint8Array | WebsocketCode): void {
    this.#isInflating = false;
    if (this.#owner.isOver) return;
    if (!this.#owner.isClosing && this.#protocol.canReceive) this.#handle(this.#protocol.inflated(result));
    this.#owner.turnSoon();
  }

  /**
   * Hands the message that is there to the reader that waits, whole or in parts as it asked. If the message was inflated on the
   * pool, that may be another reader by now, or none yet.
   */
  #deliverHeld(): boolean {
    if (this.#reader === undefined) return false;
    const message = this.#held!;
    this.#held = undefined;
    if (this.#taking === take.message) {
      this.#owner.received(message);
      this.#deliver(message);
    } else this.#deliverPart(typeof message === "string" ? encodeUtf8(message) : message, true);
    return false;
  }
}
