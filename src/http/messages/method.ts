// The platform's table of methods; with status.ts, the only place of http that names node:http.
import { METHODS } from "node:http";

/** The registered methods that Node.js knows, in alphabetical order. Any other token may stand as a method too (RFC 9110 9.1). */
export const methods: readonly string[] = METHODS;
