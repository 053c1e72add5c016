// Node's table of methods. Only this file and status.ts in http import node:http.
import { METHODS } from "node:http";

/**
 * The registered methods that Node.js knows, in alphabetical order. Any other token is a valid method too (RFC 9110
 * 9.1).
 */
export const methods: readonly string[] = METHODS;
