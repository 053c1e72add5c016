import { operationsOver } from "./support/operations-over.ts";

operationsOver("socket");
