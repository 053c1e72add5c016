import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { quiet } from "../support/quiet.ts";
import {
  shareOfAll,
  shareOfLate,
  shareOfMember,
  TurnBudget,
  turnBudget,
  type EventLoop,
  type TurnMember,
  type TurnWaiter,
} from "../../src/core/turn-budget.ts";

/** An event loop that comes round when a test says so. */
class ManualLoop implements EventLoop {
  iteration: number | undefined = 1;
  looks = 0;
  readonly callbacks: (() => void)[] = [];

  nextTurn(callback: () => void): void {
    this.callbacks.push(callback);
  }

  /** Polls, then runs the immediates. */
  turn(): void {
    if (this.iteration !== undefined) this.iteration++;
    for (const callback of this.callbacks.splice(0)) callback();
  }
}

class Member implements TurnMember, TurnWaiter {
  spent = 0;
  spentIn = 0;
  turns = 0;
  onTurn = (): void => {};

  takeTurn(): void {
    this.turns++;
    this.onTurn();
  }
}

function begin(): { loop: ManualLoop; budget: TurnBudget; member: Member } {
  const loop = new ManualLoop();
  return { loop, budget: new TurnBudget(loop), member: new Member() };
}

describe("TurnBudget", () => {
  it("lets a member spend its share in one turn, and no more", () => {
    const { loop, budget, member } = begin();
    assert.equal(budget.spend(member, shareOfMember / 2), false);
    assert.equal(budget.spend(member, shareOfMember / 2), false);
    assert.equal(loop.callbacks.length, 0);
    assert.equal(budget.spend(member, 1), true);
    assert.equal(loop.callbacks.length, 1);
  });

  it("gives the share anew in the next turn, without an immediate", () => {
    const { loop, budget, member } = begin();
    for (let i = 0; i < 100; i++) {
      assert.equal(budget.spend(member, shareOfMember), false);
      loop.turn();
    }
    assert.equal(loop.callbacks.length, 0);
  });

  it("counts a member's debt alone, not another's", () => {
    const { budget, member } = begin();
    assert.equal(budget.spend(member, 2 * shareOfMember), true);
    assert.equal(budget.spend(new Member(), shareOfMember), false);
  });

  it("takes the copying of received bytes from the common share, not from the member's", () => {
    const { loop, budget, member } = begin();
    for (let spent = 0; spent < shareOfAll; spent += shareOfMember) {
      assert.equal(budget.isSpent, false);
      assert.equal(budget.spend(member, shareOfMember, shareOfMember), false);
    }
    assert.equal(budget.spend(member, shareOfLate + 1, 1), false);
    assert.equal(budget.isSpent, true);
    assert.equal(budget.spend(member, 1), true);
    assert.equal(loop.callbacks.length, 1);
  });

  it("takes even one great piece of work for overdrawn, whatever turn it is", () => {
    const { loop, budget, member } = begin();
    loop.turn();
    assert.equal(budget.spend(member, shareOfMember + 1), true);
  });

  it("resumes those that wait in their order, in the next turn, once each", () => {
    const { loop, budget } = begin();
    const order: number[] = [];
    const members = [1, 2, 3].map((number) => {
      const member = new Member();
      member.onTurn = () => {
        order.push(number);
        if (budget.spend(member, 2 * shareOfMember)) budget.wait(member);
      };
      return member;
    });
    for (const member of members) budget.wait(member);
    assert.deepEqual(order, []);
    assert.equal(loop.callbacks.length, 1);
    loop.turn();
    assert.deepEqual(order, [1, 2, 3]);
    loop.turn();
    assert.deepEqual(order, [1, 2, 3, 1, 2, 3]);
    assert.equal(budget.waiting, 3);
  });

  it("resumes no more than have room in the turn, and the others before those that wait again", () => {
    const { loop, budget } = begin();
    const order: number[] = [];
    const members = Array.from({ length: 40 }, (_, number) => {
      const member = new Member();
      member.onTurn = () => {
        order.push(number);
        if (budget.spend(member, shareOfMember + 1)) budget.wait(member);
      };
      return member;
    });
    for (const member of members) budget.wait(member);
    loop.turn();
    const first = order.length;
    assert.equal(first, Math.ceil(shareOfAll / (shareOfMember + 1)));
    while (order.length < 80) loop.turn();
    const twice = [...members.keys(), ...members.keys()];
    assert.deepEqual(order.slice(0, 80), twice);
  });

  it("gives many that wait less at once, down to what the late ones have, if then all have a part of each turn", () => {
    const { loop, budget } = begin();
    const spent: number[] = [];
    for (let i = 0; i < 200; i++) {
      const member = new Member();
      member.onTurn = () => void spent.push(spendAll(budget, member));
      budget.wait(member);
    }
    for (let turn = 0; turn < 100; turn++) loop.turn();
    assert.ok(spent[0]! > shareOfLate && Math.max(...spent) <= 2 * shareOfMember);
    assert.ok(spent.slice(-200).every((sum) => sum <= shareOfLate * 1.25));
  });

  it("gives many that wait no less if their work can't be divided", () => {
    const { loop, budget, member } = begin();
    const sums: number[] = [];
    member.onTurn = () => void sums.push(spendAll(budget, member));
    budget.wait(member);
    for (let i = 0; i < 200; i++) {
      const other = new Member();
      other.onTurn = () => {
        budget.spend(other, shareOfMember + 1);
        budget.wait(other);
      };
      budget.wait(other);
    }
    for (let turn = 0; turn < 200; turn++) loop.turn();
    assert.ok(sums.length > 10 && sums.slice(1).every((sum) => sum >= shareOfMember / 2), `${sums.join()}`);
  });

  it("knows that all have spent their share, also in a turn that was marked before", () => {
    const { budget, member } = begin();
    assert.equal(budget.spend(member, shareOfMember + 1), true);
    assert.equal(budget.isSpent, false);
    assert.equal(budget.spend(new Member(), shareOfAll), true);
    assert.equal(budget.isSpent, true);
    const late = new Member();
    assert.equal(budget.spend(late, shareOfLate), false);
    assert.equal(budget.spend(late, 1), true);
  });

  it("leaves the others little once all together have spent their share, and marks the turn", () => {
    const { loop, budget } = begin();
    for (let i = 0; i < shareOfAll / shareOfMember; i++) assert.equal(budget.spend(new Member(), shareOfMember), false);
    assert.equal(budget.isSpent, false);
    assert.equal(loop.callbacks.length, 0);
    const honest = new Member();
    assert.equal(budget.spend(honest, shareOfLate), false);
    assert.equal(budget.isSpent, true);
    assert.equal(loop.callbacks.length, 1);
    assert.equal(budget.spend(honest, 1), true);
    loop.turn();
    assert.equal(budget.isSpent, false);
    assert.equal(budget.spend(honest, shareOfMember), false);
  });

  it("knows a member that spent much when it last did", () => {
    const { loop, budget, member } = begin();
    assert.equal(budget.isGreedy(member), false);
    budget.spend(member, shareOfLate);
    assert.equal(budget.isGreedy(member), false);
    budget.spend(member, 1);
    loop.turn();
    assert.equal(budget.isGreedy(member), true);
  });

  it("sets no immediate for any amount of work that is spread over turns", () => {
    const { loop, budget } = begin();
    const members = Array.from({ length: 100 }, () => new Member());
    for (let turn = 0; turn < 1000; turn++) {
      for (const member of members) assert.equal(budget.spend(member, shareOfAll / 200), false);
      loop.turn();
    }
    assert.equal(loop.callbacks.length, 0);
  });

  it("counts what is polled after an immediate as part of its turn", () => {
    const { loop, budget } = begin();
    const member = new Member();
    member.onTurn = () => assert.equal(budget.spend(member, shareOfMember), false);
    budget.wait(member);
    loop.turn();
    // The poll, before which no other immediate was set.
    loop.iteration!++;
    assert.equal(budget.spend(member, 1), true);
  });

  it("works without a count of iterations, by immediates alone", () => {
    const { loop, budget, member } = begin();
    loop.iteration = undefined;
    assert.equal(budget.spend(member, shareOfMember), false);
    assert.equal(budget.spend(member, 1), true);
    assert.equal(loop.callbacks.length, 1);
    loop.turn();
    assert.equal(budget.spend(member, shareOfMember), false);
  });

  it("a member that throws costs no other its turn", () => {
    const { loop, budget, member } = begin();
    const other = new Member();
    member.onTurn = () => assert.fail("thrown");
    budget.wait(member);
    budget.wait(other);
    assert.throws(() => loop.turn(), /thrown/);
    loop.turn();
    assert.deepEqual([member.turns, other.turns], [1, 1]);
  });
});

describe("the budget of this thread", () => {
  it("knows one turn of the event loop from the next", async () => {
    const member = new Member();
    for (let i = 0; i < 3; i++) {
      assert.equal(turnBudget.spend(member, shareOfMember), false);
      assert.equal(turnBudget.spend(member, 1), true);
      // The immediate that ends the turn comes before the second of these.
      await quiet(2);
    }
  });

  it("resumes a member in a turn of its own", async () => {
    const member = new Member();
    const resumed = new Promise<void>((resolve) => (member.onTurn = resolve));
    turnBudget.wait(member);
    await undefined;
    assert.equal(member.turns, 0);
    await resumed;
    assert.equal(member.turns, 1);
  });
});

/** Spends in small steps until the member must wait, and waits. Returns how much that was. */
function spendAll(budget: TurnBudget, member: Member): number {
  const work = shareOfLate / 4;
  let sum = work;
  while (!budget.spend(member, work)) sum += work;
  budget.wait(member);
  return sum;
}
