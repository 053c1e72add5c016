// The value of Sec-WebSocket-Extensions (RFC 6455 section 9.1), pure:
//   extension-list  = 1#extension
//   extension       = extension-token *( ";" extension-param )
//   extension-param = token [ "=" (token | quoted-string) ]
// What a quoted-string stands for must be a token too. Space may stand around each part, and a list may have empty
// elements, as in the other lists of HTTP (RFC 9110 section 5.6.1.2).

/** One extension, as offered or agreed to. Parameters are in order, with repeats. */
export interface Extension {
  readonly name: string;
  readonly parameters: readonly ExtensionParameter[];
}

/** A parameter's name and value; the value is undefined if it has none. */
export type ExtensionParameter = readonly [name: string, value: string | undefined];

const tchar = "[!#$%&'*+\\-.^_`|~\\dA-Za-z]";
const ows = "[ \\t]*";
// Sticky: each begins where the last ended. There is only one way to match, so parsing takes linear time.
const separators = /[ \t,]*/y;
const extensionName = new RegExp(`(${tchar}+)${ows}`, "y");
const extensionParameter = new RegExp(
  `;${ows}(${tchar}+)${ows}(?:=${ows}(?:(${tchar}+)|"((?:\\\\?${tchar})+)")${ows})?`,
  "y",
);

/** The extensions in a header's value, in order; undefined if it is malformed, so a list is never cut short. */
export function parseExtensions(value: string): Extension[] | undefined {
  const extensions: Extension[] = [];
  for (let at = 0; ;) {
    separators.lastIndex = at;
    separators.test(value);
    at = separators.lastIndex;
    if (at === value.length) return extensions;

    extensionName.lastIndex = at;
    const name = extensionName.exec(value)?.[1];
    if (name === undefined) return undefined;
    at = extensionName.lastIndex;

    const parameters: ExtensionParameter[] = [];
    while (value[at] === ";") {
      extensionParameter.lastIndex = at;
      const found = extensionParameter.exec(value);
      if (found === null) return undefined;
      at = extensionParameter.lastIndex;
      const [, key, token, quoted] = found;
      parameters.push([key!, token ?? quoted?.replaceAll("\\", "")]);
    }
    if (at < value.length && value[at] !== ",") return undefined;
    extensions.push({ name, parameters });
  }
}

/** A header's value from extensions, whose names and values must be tokens. */
export function formatExtensions(extensions: readonly Extension[]): string {
  return extensions.map(({ name, parameters }) => [name, ...parameters.map(formatParameter)].join("; ")).join(", ");
}

function formatParameter([name, value]: ExtensionParameter): string {
  return value === undefined ? name : `${name}=${value}`;
}
