#!/usr/bin/env node
// The `serval` command. Runs on import.
import { outputTo } from "./shared/output.ts";
import { runCommand } from "./run-command.ts";

process.exitCode = await runCommand(process.argv.slice(2), outputTo(process.stdout, process.stderr));
