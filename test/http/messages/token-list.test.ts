import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hasToken, parseTokenList } from "../../../src/http/index.ts";

describe("hasToken", () => {
  const lists: [list: string | undefined, has: boolean][] = [
    ["upgrade", true],
    ["Upgrade", true],
    ["keep-alive, Upgrade", true],
    ["keep-alive,UPGRADE", true],
    ["\tupgrade \t, x", true],
    [",, upgrade ,", true],
    ["what is this; upgrade, upgrade", true],
    [undefined, false],
    ["", false],
    [" , ,", false],
    ["upgrade2", false],
    ["upgrade/1", false],
    ["upgrad", false],
    ["up grade", false],
    ["upgrade upgrade", false],
    ['"upgrade"', false],
    ["x;upgrade", false],
  ];
  for (const [list, has] of lists) {
    it(`${JSON.stringify(list)}: ${has}`, () => assert.equal(hasToken(list, "upgrade"), has));
  }
});

describe("parseTokenList", () => {
  const lists: [list: string, tokens: string[] | undefined][] = [
    ["", []],
    [" ", []],
    [",", []],
    [", ,\t,", []],
    ["chat", ["chat"]],
    ["chat, superchat", ["chat", "superchat"]],
    ["chat,superchat", ["chat", "superchat"]],
    [" chat\t,\tSuperChat ", ["chat", "SuperChat"]],
    [",chat,,superchat,", ["chat", "superchat"]],
    ["a, a", ["a", "a"]],
    ["!#$%&'*+-.^_`|~09azAZ", ["!#$%&'*+-.^_`|~09azAZ"]],
    ["chat superchat", undefined],
    ["chat, super chat", undefined],
    ["chat; q=1", undefined],
    ['"chat"', undefined],
    ["chat/1", undefined],
    ["chat, é", undefined],
    ["a, b\0", undefined],
  ];
  for (const [list, tokens] of lists) {
    it(`${JSON.stringify(list)}: ${JSON.stringify(tokens)}`, () => assert.deepEqual(parseTokenList(list), tokens));
  }
});
