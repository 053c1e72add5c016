import { test } from "node:test";
import { overTls, proxied, resetAll } from "./support/resets.ts";

const count = 40;
/** The first bytes of a ClientHello. */
const hello = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]);

test("connections over TLS that are reset at any step leave nothing open", (t) =>
  resetAll(t, {
    setup: { tls: true },
    begin: overTls,
    beginnings: ["", hello.subarray(0, 1), hello],
    count,
  }));

test("connections with the PROXY protocol that are reset at any step leave nothing open", (t) =>
  resetAll(t, {
    setup: { options: { proxyProtocol: true } },
    begin: proxied,
    beginnings: ["", "PROXY", "PROXY TCP4 192.0.2.1"],
    count,
  }));
