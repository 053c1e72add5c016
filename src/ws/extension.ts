import { HeaderScanner } from "./header-scanner.ts";

/** The parameters of one offer of an extension: the values of each in their order, `true` for one without a value. */
export type ExtensionParameters = Record<string, (string | true)[]>;

/** What is given to {@link format}: the parameters of an extension, or of several offers of it. */
type Configuration = Record<string, unknown>;

/**
 * Reads a Sec-WebSocket-Extensions header: each extension's offers in their order. Throws `SyntaxError` for one that is
 * not as RFC 6455 section 9.1 says.
 */
function parse(header: string): Record<string, ExtensionParameters[]> {
  // A header may name anything, such as `__proto__`.
  const offers: Record<string, ExtensionParameters[]> = Object.create(null);
  const scanner = new HeaderScanner(header);
  for (;;) {
    const name = scanner.token();
    const parameters: ExtensionParameters = Object.create(null);
    let isLast = scanner.end();
    while (!isLast && scanner.skip(";", true)) isLast = addParameter(scanner, parameters);
    (offers[name] ??= []).push(parameters);
    if (isLast) return offers;
    if (!scanner.skip(",", true)) scanner.fail();
  }
}

/** Reads a parameter; returns whether it was the last of the header. */
function addParameter(scanner: HeaderScanner, parameters: ExtensionParameters): boolean {
  const name = scanner.token();
  let value: string | true = true;
  if (scanner.skip("=", false)) value = scanner.isQuoted ? scanner.quoted() : scanner.token();
  const isLast = scanner.end();
  (parameters[name] ??= []).push(value);
  return isLast;
}

/** Makes a Sec-WebSocket-Extensions header of extensions, each with its parameters, or a list of them. */
function format(extensions: Record<string, Configuration | readonly Configuration[]>): string {
  const offers: string[] = [];
  for (const [name, configurations] of Object.entries(extensions)) {
    for (const configuration of [configurations].flat()) {
      const words = [name];
      for (const [key, values] of Object.entries(configuration)) {
        for (const value of [values].flat()) words.push(value === true ? key : `${key}=${value}`);
      }
      offers.push(words.join("; "));
    }
  }
  return offers.join(", ");
}

/** Sec-WebSocket-Extensions (RFC 6455 section 9.1): `parse` and `format`. */
export const extension: {
  readonly format: typeof format;
  readonly parse: typeof parse;
} = { format, parse };
