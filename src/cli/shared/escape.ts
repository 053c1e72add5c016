/**
 * Characters that do something to a terminal instead of being shown: controls (an escape sequence may retitle, recolour
 * or answer for the user), what reorders or hides text, separators of lines. Tabs and line feeds stay, and so do the
 * joiners that scripts and emoji are written with.
 */
const acting = /(?![\t\n\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A peer's text as it may go to a terminal: what acts there is written as JSON writes it, `\u001b`. */
export function escaped(text: string): string {
  return text.replaceAll(acting, escapeCharacter);
}

/** The same of what may have several lines, such as an error's message, run together to one. */
export function escapedWords(text: string): string {
  return escapedLine(text.replaceAll(/\s*\n\s*/g, " "));
}

/** The same on one line. */
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
