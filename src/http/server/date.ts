let second: number | undefined;
let line = "";

/** The field line of Date with the current time, and its CR LF (RFC 9110 5.6.7); formatted once a second. */
export function dateLine(): string {
  const now = Math.floor(Date.now() / 1000);
  if (now !== second) {
    second = now;
    line = `Date: ${new Date(now * 1000).toUTCString()}\r\n`;
  }
  return line;
}
