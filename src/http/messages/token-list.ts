import { dropOws, equalsIgnoringCase, isToken, skipOws } from "./grammar.ts";

// RFC 9110 5.6.1.2: what a recipient must accept:
//   #element => [ element ] *( OWS "," OWS [ element ] )

/**
 * Whether a comma-separated list, such as the value of Connection or Upgrade, has this element, ignoring case. Other
 * elements may be anything: Upgrade's may be `name/version`. False without a value.
 */
export function hasToken(list: string | undefined, token: string): boolean {
  if (list === undefined) return false;
  for (let start = 0; start <= list.length;) {
    const end = elementEnd(list, start);
    const from = skipOws(list, start, end);
    if (equalsIgnoringCase(list, from, dropOws(list, from, end), token)) return true;
    start = end + 1;
  }
  return false;
}

/**
 * The elements of a comma-separated list of tokens, such as the value of Sec-WebSocket-Protocol, in order and with case
 * kept; empty elements are left out. Undefined if any element is no token, so a list is never cut short.
 */
export function parseTokenList(list: string): string[] | undefined {
  const tokens: string[] = [];
  for (let start = 0; start <= list.length;) {
    const end = elementEnd(list, start);
    const from = skipOws(list, start, end);
    const token = list.slice(from, dropOws(list, from, end));
    if (token !== "") {
      if (!isToken(token)) return undefined;
      tokens.push(token);
    }
    start = end + 1;
  }
  return tokens;
}

function elementEnd(list: string, start: number): number {
  const comma = list.indexOf(",", start);
  return comma < 0 ? list.length : comma;
}
