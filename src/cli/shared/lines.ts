/** The lines of an input as they arrive, without their ends (LF or CR LF). The last line needs no end. */
export async function* lines(input: AsyncIterable<Uint8Array | string>): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  // The parts of an incomplete line; joining at each chunk would take quadratic time.
  let parts: string[] = [];
  for await (const chunk of input) {
    const text = typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    const [first, ...others] = text.split("\n");
    parts.push(first!);
    for (const other of others) {
      yield withoutReturn(parts.join(""));
      parts = [other];
    }
  }
  const rest = parts.join("") + decoder.decode();
  if (rest !== "") yield withoutReturn(rest);
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}
