/**
 * Characters that act on a terminal instead of being shown: controls (an escape sequence may change the title or
 * colours, or type for the user), characters that reorder or hide text, and line separators. Tabs, line feeds and the
 * joiners of scripts and emoji are allowed.
 */
const acting = /(?![\t\n\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A peer's text, safe for a terminal: characters that act there become JSON escapes such as `\u001b`. */
export function escaped(text: string): string {
  return text.replaceAll(acting, escapeCharacter);
}

/** Escaped text on one line; lines, such as those of an error's message, are joined by spaces. */
export function escapedWords(text: string): string {
  return escapedLine(text.replaceAll(/\s*\n\s*/g, " "));
}

/** Escaped text on one line; line feeds become `\n`. */
export function escapedLine(text: string): string {
  return escaped(text).replaceAll("\n", "\\n");
}

function escapeCharacter(character: string): string {
  let result = "";
  for (let i = 0; i < character.length; i++) {
    result += `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`;
  }
  return result;
}
