import { compressor, decompressor, type CompressorOptions, type Context } from "./zlib.ts";

/** A free context costs only memory, and more than this many are rarely needed at once. */
const pooledAtMost = 4;

/** Contexts that are not in use, shared by all connections with the same parameters. */
export class ContextPool {
  readonly #make: () => Context;
  readonly #free: Context[] = [];

  constructor(make: () => Context) {
    this.#make = make;
  }

  /** Takes a context, until it is returned. It keeps nothing of its previous user. */
  take(): Context {
    const context = this.#free.pop();
    if (context === undefined) return this.#make();
    context.reset();
    return context;
  }

  give(context: Context): void {
    if (this.#free.length < pooledAtMost) this.#free.push(context);
    else context.close();
  }
}

/** Contexts that compress with the same parameters. */
export class CompressorPool extends ContextPool {
  readonly options: CompressorOptions;

  constructor(options: CompressorOptions) {
    super(() => compressor(options));
    this.options = options;
  }
}

const compressors: Map<number, CompressorPool> = new Map();

/** The pool of contexts that compress with these parameters. */
export function compressorPool({ windowBits, level, memLevel }: CompressorOptions): CompressorPool {
  const key = (windowBits * 10 + level) * 10 + memLevel;
  let pool = compressors.get(key);
  if (pool === undefined) compressors.set(key, (pool = new CompressorPool({ windowBits, level, memLevel })));
  return pool;
}

/** The pool of contexts that decompress, for any window. */
export const decompressorPool: ContextPool = new ContextPool(() => decompressor(15));
