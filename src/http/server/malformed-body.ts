/** The errors of bodies that are not what they were parsed as. */
const malformed = new WeakSet<object>();

/**
 * Whether an error is that of `json()` or `formData()` of a served request whose body is not valid. The same error of
 * the application's own `JSON.parse` is not.
 */
export function isMalformedBody(error: unknown): boolean {
  return error instanceof Error && malformed.has(error);
}

/** Remembers the error of a body that can't be parsed, which is of this kind; errors of the body's source are of others. */
export function noted<Value>(parsing: Promise<Value>, kind: typeof SyntaxError | typeof TypeError): Promise<Value> {
  return parsing.catch((error: unknown) => {
    if (error instanceof kind) malformed.add(error);
    throw error;
  });
}

/** Makes a platform's request remember such errors; otherwise it stays what it is. */
export function noting(request: Request): Request {
  return Object.setPrototypeOf(request, (notingPrototype ??= makeNotingPrototype())) as Request;
}

/** Inherits from the platform's prototype. */
let notingPrototype: Request | undefined;

function makeNotingPrototype(): Request {
  const { prototype } = Request;
  const { clone, formData, json } = prototype;
  const methods = {
    clone(this: Request): Request {
      return noting(clone.call(this));
    },
    formData(this: Request): Promise<FormData> {
      return this.bodyUsed ? formData.call(this) : noted(formData.call(this), TypeError);
    },
    json(this: Request): Promise<unknown> {
      return noted(json.call(this), SyntaxError);
    },
  };
  return Object.create(prototype, Object.getOwnPropertyDescriptors(methods)) as Request;
}
