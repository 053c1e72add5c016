const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const tokenCharacter = /[!#$%&'*+\-.^_`|~0-9A-Za-z]/y;
const space = /[ \t]*/y;

/** Reads a header's value from left to right, as RFC 6455 section 9.1 has it. Throws `SyntaxError` where it can't. */
export class HeaderScanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next token. */
  token(): string {
    return this.#match(token) ?? this.fail();
  }

  /** A quoted string, which has to be a token after unescaping. */
  quoted(): string {
    this.#at++;
    let value = "";
    while (!this.#isAt('"')) {
      if (this.#isAt("\\")) this.#at++;
      value += this.#match(tokenCharacter) ?? this.fail();
    }
    if (value === "") this.fail();
    this.#at++;
    return value;
  }

  /** Whether the next character is this one; if so, moves past it, and past white space after it if `spaced`. */
  skip(character: string, spaced: boolean): boolean {
    if (!this.#isAt(character)) return false;
    this.#at++;
    if (spaced) this.#match(space);
    return true;
  }

  /** Whether the next character opens a quoted string. */
  get isQuoted(): boolean {
    return this.#isAt('"');
  }

  /** Moves past white space, which can't be the last in the value; returns whether that was all of the value. */
  end(): boolean {
    const spaces = this.#match(space);
    const isAtEnd = this.#at === this.#text.length;
    if (isAtEnd && spaces !== "") this.fail();
    return isAtEnd;
  }

  /** Throws the error for what stands here. */
  fail(): never {
    const isAtEnd = this.#at >= this.#text.length;
    throw new SyntaxError(isAtEnd ? "Unexpected end of input" : `Unexpected character at index ${this.#at}`);
  }

  #isAt(character: string): boolean {
    return this.#text[this.#at] === character;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text)?.[0];
    if (match !== undefined) this.#at += match.length;
    return match;
  }
}
