import { createRequire } from "node:module";

/** The package's version. */
export function version(): string {
  // Resolved by the package's own name, since this file's depth differs between sources and build.
  const { version: own } = createRequire(import.meta.url)("serval/package.json") as { version: string };
  return own;
}
