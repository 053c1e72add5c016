// Random keys from Web Crypto, requested many at a time.
const keys = new Int32Array(1024);
let next: number = keys.length;

/** A fresh, unpredictable masking key for one frame of a client, as a 32-bit number (RFC 6455 section 5.3). */
export function maskingKey(): number {
  if (next === keys.length) {
    crypto.getRandomValues(keys);
    next = 0;
  }
  return keys[next++]!;
}
