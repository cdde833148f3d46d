/** @module Puts the values of a point into a document: `${axis}` and `${axis.field}`, anywhere in it. Pure. */

/** Where something stands in a document. */
export type Path = readonly PropertyKey[];

type Bag = Readonly<Record<string, unknown>>;

const REFERENCE = /\$\{([^{}]*)\}/g;

/** The name in a text that is one reference and nothing else. */
const alone = (text: string): string | undefined => /^\$\{([^{}]*)\}$/.exec(text)?.[1]?.trim();

interface FillOptions {
  /** What a name stands for; undefined where there is no such parameter. */
  value: (name: string) => unknown;
  /** Where the value of a name stands in the document itself. */
  origin: (name: string) => Path;
  /** Told of what cannot be filled. */
  fault: (path: Path, message: string, name: string) => void;
}

/** A document with its values filled in, and the way back to where each part of it stands. */
interface Filled {
  value: unknown;
  /** The place in the document that was filled of a place in the value. */
  placeOf: (path: Path) => Path;
}

/**
 * Fills a document. A text that is one reference stands for the value as it is, of whatever type: in a list a list is put
 * in its place, and nothing (null) leaves the entry or the key out. In a longer text a value stands as text.
 * @example
 * fill({ steps: ['${map}', 'b${n}'] }, …) // with map = ['a', 'c'], n = 1: { steps: ['a', 'c', 'b1'] }
 */
export function fill(document: unknown, options: FillOptions): Filled {
  /** Of each list and map that was made, where its entries stand in the document, if not at the same place. */
  const origins = new WeakMap<object, Map<PropertyKey, Path>>();

  const known = (name: string, path: Path): unknown => {
    const value = options.value(name);
    if (value === undefined) options.fault(path, `there is no parameter "${name}"`, name);
    return value;
  };
  const text = (source: string, path: Path): string =>
    source.replace(REFERENCE, (_, inner: string) => {
      const value = known(inner.trim(), path) ?? '';
      if (typeof value === 'object') {
        options.fault(path, `\${${inner}} is a list or a map, and stands in a text`, inner.trim());
        return '';
      }
      return String(value as string | number | boolean);
    });

  const put = (value: unknown, path: Path): unknown => {
    if (typeof value === 'string') {
      const name = alone(value);
      return name === undefined ? text(value, path) : known(name, path);
    }
    if (Array.isArray(value)) return list(value, path);
    if (typeof value !== 'object' || value === null) return value;
    const made: Record<string, unknown> = {};
    const from = new Map<PropertyKey, Path>();
    for (const [key, inner] of Object.entries(value as Bag)) {
      const filled = put(inner, [...path, key]);
      const to = text(key, [...path, key]);
      if (isReference(inner) && (filled === null || filled === undefined)) continue;
      made[to] = filled;
      from.set(to, typeof filled === 'object' && isReference(inner) ? options.origin(nameOf(inner)) : [...path, key]);
    }
    origins.set(made, from);
    return made;
  };

  const list = (entries: readonly unknown[], path: Path): unknown[] => {
    const made: unknown[] = [];
    const from = new Map<PropertyKey, Path>();
    const add = (value: unknown, origin: Path): void => {
      from.set(made.length, origin);
      made.push(value);
    };
    for (const [i, entry] of entries.entries()) {
      const here = [...path, i];
      const value = put(entry, here);
      if (!isReference(entry)) add(value, here);
      else if (Array.isArray(value)) {
        for (const [j, one] of value.entries()) add(one, [...options.origin(nameOf(entry)), j]);
      } else if (value !== null && value !== undefined) {
        add(value, typeof value === 'object' ? options.origin(nameOf(entry)) : here);
      }
    }
    origins.set(made, from);
    return made;
  };

  const value = put(document, []);
  const placeOf = (path: Path): Path => {
    let at: unknown = value;
    let place: Path = [];
    for (const key of path) {
      const inner = typeof at === 'object' && at !== null ? at : undefined;
      place = (inner && origins.get(inner)?.get(key)) ?? [...place, key];
      at = inner && Object.hasOwn(inner, key) ? (inner as Record<PropertyKey, unknown>)[key] : undefined;
    }
    return place;
  };
  return { value, placeOf };
}

const isReference = (value: unknown): value is string => typeof value === 'string' && alone(value) !== undefined;
const nameOf = (reference: string): string => alone(reference) ?? '';
