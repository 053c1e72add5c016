import { coreError, type ServalError } from "../../core/index.ts";
import { Receiver, turnBudget, type TurnMember, type TurnWaiter } from "../../core/internal.ts";

/** So much work is done before it is spent, in the unit of `cost`: most reads bring less. */
export const spentAtOnce = 16_000;

/** The phase of a connection. */
export const phase = {
  /** Messages go both ways. */
  open: 0,
  /** This side was asked to close: queued messages go first, and received data is dropped. */
  closing: 1,
  /** Nothing more is taken from the peer; queued output is written. */
  finishing: 2,
  /** All is written, and the transport is being torn down. */
  tearingDown: 3,
  /** The transport is closed. */
  ended: 4,
} as const;

/** Stands for {@link terminatedError}, which few need: to make it costs as much as the rest of a connection's end. */
export const terminated = "terminated";

/** The error of what this side has ended by a termination. */
export function terminatedError(): ServalError {
  return coreError("core.aborted", { message: "The WebSocket was closed on this side" });
}

/** A connection's share of the turns of the event loop. When it is used up, the connection waits for the next turn. */
export abstract class Turns extends Receiver implements TurnMember, TurnWaiter {
  /** See `TurnMember`. */
  spent = 0;
  spentIn = 0;
  /** The share of this turn is used up: nothing is taken or read before the next. */
  protected isWaiting = false;
  /** How often it had to wait. */
  protected turnsWaited = 0;

  /** Continues with received bytes. */
  protected abstract turn(): void;

  /** Waits for the next turn, in FIFO order. Returns false: nothing may be taken or read before. */
  protected waitTurn(): false {
    this.isWaiting = true;
    this.turnsWaited++;
    turnBudget.wait(this);
    return false;
  }

  /** The next turn has come. */
  takeTurn(): void {
    this.isWaiting = false;
    this.turn();
  }
}
