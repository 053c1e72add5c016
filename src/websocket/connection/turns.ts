import { turnBudget, type TurnMember, type TurnWaiter } from "../../core/internal.ts";

/** So much work is done before it is spent, in the unit of `cost`: most reads bring less. */
export const spentAtOnce = 16_000;

/** A connection's share of the turns of the event loop. When it is used up, the connection waits for the next turn. */
export abstract class Turns implements TurnMember, TurnWaiter {
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
