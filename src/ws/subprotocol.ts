import { HeaderScanner } from "./header-scanner.ts";

/**
 * Reads a Sec-WebSocket-Protocol header: the names in their order. Throws `SyntaxError` for one that is not as RFC 6455
 * section 11.3.4 says, or names a subprotocol twice.
 */
function parse(header: string): Set<string> {
  const protocols = new Set<string>();
  const scanner = new HeaderScanner(header);
  for (;;) {
    const name = scanner.token();
    const isLast = scanner.end();
    if (!isLast && !scanner.skip(",", true)) scanner.fail();
    if (protocols.has(name)) throw new SyntaxError(`The "${name}" subprotocol is duplicated`);
    protocols.add(name);
    if (isLast) return protocols;
  }
}

/** Sec-WebSocket-Protocol (RFC 6455 section 11.3.4): `parse`. */
export const subprotocol: { readonly parse: typeof parse } = { parse };
