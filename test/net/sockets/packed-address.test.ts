import assert from "node:assert/strict";
import { it } from "node:test";
import { packIPv4, unpackIPv4 } from "../../../src/net/sockets/packed-address.ts";

it("an IPv4 address is the same after it was packed", () => {
  for (const address of ["0.0.0.0", "127.0.0.1", "9.10.99.100", "192.0.2.1", "128.0.0.0", "255.255.255.255"]) {
    const packed = packIPv4(address);
    assert.equal(packed, packed | 0, address);
    assert.equal(unpackIPv4(packed), address);
  }
});
