// What a message of a load has at its beginning, so that its echo is known again: two numbers of eight hexadecimal
// digits, its own and its connection's, the lowest digit first. A message that is shorter has as much of that as it has room
// for. They are letters and digits in text and in binary messages.

const digits = 8;
/** The size of a stamp. */
export const stampSize: number = 2 * digits;
const letters = Uint8Array.from("0123456789abcdef", (letter) => letter.charCodeAt(0));
const valueOf = new Int8Array(256).fill(-1);
for (const [value, letter] of letters.entries()) valueOf[letter] = value;

/** How many numbers messages of this size can tell apart: then they count from 0 again. */
export function numbersIn(size: number): number {
  return 16 ** Math.min(size, digits);
}

/** Puts a stamp where a message begins. */
export function writeStamp(message: Uint8Array, number: number, connection: number): void {
  writeDigits(message, 0, number);
  writeDigits(message, digits, connection);
}

/** The number in the stamp of a message of this connection; -1 where that is none of its stamps. */
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

/** A message's bytes before they are stamped: words, in no order that a compressor could learn. */
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
