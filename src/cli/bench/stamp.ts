// The stamp at the beginning of a message identifies its echo. It is two numbers of eight hexadecimal digits, lowest
// digit first: the message's and the connection's. A message shorter than that has as many digits as fit. Text and
// binary messages have the same digits.

const digits = 8;
/** The size of a stamp, in bytes. */
export const stampSize: number = 2 * digits;
const letters = Uint8Array.from("0123456789abcdef", (letter) => letter.charCodeAt(0));
const valueOf = new Int8Array(256).fill(-1);
for (const [value, letter] of letters.entries()) valueOf[letter] = value;

/** How many message numbers fit into this size; numbers begin at 0 again after that. */
export function numbersIn(size: number): number {
  return 16 ** Math.min(size, digits);
}

/** Writes a stamp at the beginning of a message. */
export function writeStamp(message: Uint8Array, number: number, connection: number): void {
  writeDigits(message, 0, number);
  writeDigits(message, digits, connection);
}

/** The number in a message's stamp; -1 if the stamp is not of this connection. */
export function readStamp(message: Uint8Array, connection: number): number {
  const number = readDigits(message, 0);
  const other = message.length > digits ? readDigits(message, digits) : 0;
  const expected = connection % numbersIn(Math.max(0, message.length - digits));
  return other === expected ? number : -1;
}

function writeDigits(message: Uint8Array, at: number, number: number): void {
  const end = Math.min(at + digits, message.length);
  for (let left = number; at < end; at++, left >>>= 4) message[at] = letters[left & 15]!;
}

function readDigits(message: Uint8Array, at: number): number {
  let number = 0;
  for (let i = Math.min(at + digits, message.length) - 1; i >= at; i--) {
    const value = valueOf[message[i]!]!;
    if (value < 0) return -1;
    number = number * 16 + value;
  }
  return number;
}

const words = "the bid and ask of every trade were quoted high low open close volume price at noon on monday".split(
  " ",
);

/**
 * The content of a message before it is stamped: words in an order without a pattern, so that compression is realistic.
 */
export function filler(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let seed = 1;
  for (let at = 0; at < size;) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    const word = `${words[(seed >>> 16) % words.length]!} `;
    for (let i = 0; i < word.length && at < size; i++) bytes[at++] = word.charCodeAt(i);
  }
  return bytes;
}
