/**
 * A small language for the shapes QMP carries, from which both the TypeScript types and the run-time checks follow, so
 * that the two cannot disagree. A member whose name ends in `?` may be absent.
 */
export type Shape =
  | 'string'
  /** An integer a double holds exactly. 64-bit values are read with `value` and arrive as bigint where needed. */
  | 'int'
  | 'boolean'
  /** Anything (QAPI `any`). */
  | 'value'
  | { readonly enum: readonly string[] }
  | { readonly array: Shape }
  | { readonly members: Members };

export type Members = { readonly [name: string]: Shape };

type OptionalName<M> = keyof M & `${string}?`;
type Bare<N> = N extends `${infer B}?` ? B : N;
type Flat<T> = { [K in keyof T]: T[K] };

/** The type of members we send: enums are closed. */
export type SentMembers<M> = Flat<
  { -readonly [K in Exclude<keyof M, OptionalName<M>>]: Sent<M[K]> } & {
    -readonly [K in OptionalName<M> as Bare<K>]?: Sent<M[K]> | undefined;
  }
>;

/** The type of members we receive: an enum may hold a value that a newer QEMU has added. */
export type ReceivedMembers<M> = Flat<
  { -readonly [K in Exclude<keyof M, OptionalName<M>>]: Received<M[K]> } & {
    -readonly [K in OptionalName<M> as Bare<K>]?: Received<M[K]>;
  }
>;

/** TypeScript type of a shape we send. */
type Sent<S> = S extends { readonly enum: readonly (infer V)[] }
  ? V
  : S extends { readonly array: infer E }
    ? Sent<E>[]
    : S extends { readonly members: infer M }
      ? SentMembers<M>
      : Scalar<S>;

/** TypeScript type of a shape we receive. */
export type Received<S> = S extends { readonly enum: readonly (infer V)[] }
  ? V | (string & {})
  : S extends { readonly array: infer E }
    ? Received<E>[]
    : S extends { readonly members: infer M }
      ? ReceivedMembers<M>
      : Scalar<S>;

type Scalar<S> = S extends 'string' ? string : S extends 'int' ? number : S extends 'boolean' ? boolean : unknown;

/** Splits a member name of a shape into the name on the wire and whether it may be absent. */
export function memberName(key: string): { name: string; optional: boolean } {
  return key.endsWith('?') ? { name: key.slice(0, -1), optional: true } : { name: key, optional: false };
}

/**
 * Says where a received value departs from its shape (`cpu-index is not an int`), or undefined when it does not.
 * Members the shape does not name and enum values it does not know are fine: newer servers add both.
 */
export function departure(shape: Shape, value: unknown, path = 'the value'): string | undefined {
  if (shape === 'value') return undefined;
  if (shape === 'int') return Number.isSafeInteger(value) ? undefined : `${path} is not an int`;
  if (shape === 'boolean') return typeof value === 'boolean' ? undefined : `${path} is not a boolean`;
  if (shape === 'string' || 'enum' in shape) return typeof value === 'string' ? undefined : `${path} is not a string`;
  if ('array' in shape) {
    if (!Array.isArray(value)) return `${path} is not an array`;
    for (const [i, element] of value.entries()) {
      const found = departure(shape.array, element, `${path}[${i}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return `${path} is not an object`;
  for (const [key, member] of Object.entries(shape.members)) {
    const { name, optional } = memberName(key);
    if (!Object.hasOwn(value, name)) {
      if (optional) continue;
      return `${path} lacks '${name}'`;
    }
    const found = departure(member, (value as Record<string, unknown>)[name], `'${name}' of ${path}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
