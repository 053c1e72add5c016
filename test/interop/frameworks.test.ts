import assert from "node:assert/strict";
import { test } from "node:test";
import express from "express";
import Koa from "koa";
import { mount, type UpgradingServer } from "../../src/server/index.ts";

test("mount refuses a framework's application, since only its server emits upgrades", () => {
  for (const app of [express(), new Koa()]) {
    assert.throws(() => mount(app as unknown as UpgradingServer, {}), {
      code: "core.invalid_argument",
      message: /what app\.listen\(\) returns/,
    });
  }
});
