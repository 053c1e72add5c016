// Loads for tests: small ones.
import { readClient } from "../../../src/cli/shared/client-options.ts";
import type { LoadOptions } from "../../../src/cli/bench/load-options.ts";
import { readOptions } from "../../../src/cli/shared/options.ts";

/** A load of few messages, which ends with the last. */
export function small(url: string, differences: Partial<LoadOptions> = {}): LoadOptions {
  return {
    url,
    client: readClient(readOptions([], {}), url).options,
    connections: 3,
    opening: 2,
    size: 32,
    isText: false,
    depth: 2,
    echo: true,
    rate: undefined,
    warmup: 0,
    duration: Infinity,
    messages: 30,
    ...differences,
  };
}
