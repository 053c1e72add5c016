import { createRequire } from "node:module";

/** The package's version. */
export function version(): string {
  // By the package's own name: the file stands elsewhere when this runs from the sources' build.
  const { version: own } = createRequire(import.meta.url)("serval/package.json") as { version: string };
  return own;
}
