import { compressor, decompressor, type CompressorOptions, type Context } from "./zlib.ts";

/** A free context costs nothing but its memory; more than this many at once are rare. */
const pooledAtMost = 4;

/** Contexts that nobody holds while there is nothing to do: shared by all connections that are alike. */
export class ContextPool {
  readonly #make: () => Context;
  readonly #free: Context[] = [];

  constructor(make: () => Context) {
    this.#make = make;
  }

  /** A context, until it is given back. Nothing of its former owner is left in it. */
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

/** Contexts that compress in one way. */
export class CompressorPool extends ContextPool {
  readonly options: CompressorOptions;

  constructor(options: CompressorOptions) {
    super(() => compressor(options));
    this.options = options;
  }
}

const compressors: Map<number, CompressorPool> = new Map();

/** The pool of the contexts that compress in this way. */
export function compressorPool({ windowBits, level, memLevel }: CompressorOptions): CompressorPool {
  const key = (windowBits * 10 + level) * 10 + memLevel;
  let pool = compressors.get(key);
  if (pool === undefined) compressors.set(key, (pool = new CompressorPool({ windowBits, level, memLevel })));
  return pool;
}

/** The pool of the contexts that decompress, whatever the window. */
export const decompressorPool: ContextPool = new ContextPool(() => decompressor(15));
