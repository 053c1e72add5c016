// npm run bench [-- accept | parse | memory | memory-idle | churn | broadcast | idle | large | http | echo [part of a workload's name]] [--pairs N]
import { parseArgs } from "node:util";
import { accept } from "./accept.ts";
import { broadcast } from "./broadcast.ts";
import { churn } from "./churn.ts";
import { echo } from "./echo.ts";
import { http } from "./http.ts";
import { idle } from "./idle.ts";
import { large } from "./large.ts";
import { memory } from "./memory.ts";
import { memoryIdle } from "./memory-idle.ts";
import { parse } from "./parse.ts";

const { values, positionals } = parseArgs({ options: { pairs: { type: "string" } }, allowPositionals: true });
const [what, only] = positionals;
const pairs = Number(values.pairs ?? 7);
console.log(`Node ${process.version}`);
if (what === undefined || what === "accept") await accept(10);
if (what === undefined || what === "parse") parse(pairs);
if (what === undefined || what === "http") await http(pairs, only);
if (what === undefined || what === "echo") await echo(pairs, only);
if (what === undefined || what === "memory") await memory(pairs);
if (what === undefined || what === "memory-idle") await memoryIdle(pairs);
if (what === undefined || what === "churn") await churn(pairs);
if (what === undefined || what === "broadcast") await broadcast(pairs);
if (what === undefined || what === "idle") await idle();
if (what === undefined || what === "large") await large();
