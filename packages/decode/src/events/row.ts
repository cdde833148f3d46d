/** @module One row of the catalogue: an event's fields as a short text, from which its TypeScript type follows, and its words. */
import type { McaSeverity } from '../mca/severity.ts';

/** A value of a field as it stands in an event: addresses, registers and PFNs are bigint (u64), counts are number. */
export type FieldValue = string | number | boolean | bigint;

/** `address`, `register` and `pfn` are bigint (u64), told apart because they are different things; `any` is any of all. */
export type FieldType = 'string' | 'number' | 'boolean' | 'address' | 'register' | 'pfn' | 'bigint' | 'any';

interface Values {
  string: string;
  number: number;
  boolean: boolean;
  address: bigint;
  register: bigint;
  pfn: bigint;
  bigint: bigint;
  any: FieldValue;
}

/** `'a:string b?:pfn'` → `'a:string' | 'b?:pfn'`. */
type Words<S extends string> = S extends `${infer W} ${infer Rest}` ? W | Words<Rest> : S extends '' ? never : S;
type Required<W> = W extends `${string}?:${string}` ? never : W extends `${infer N}:${string}` ? N : never;
type Optional<W> = W extends `${infer N}?:${string}` ? N : never;
type ValueOf<W> = W extends `${string}:${infer T extends FieldType}` ? Values[T] : never;

/**
 * The fields of a row as a type.
 * @example FieldsOf<'pfn:pfn virt?:address'> // { pfn: bigint; virt?: bigint }
 */
export type FieldsOf<S extends string> = { -readonly [W in Words<S> as Required<W>]: ValueOf<W> } & {
  -readonly [W in Words<S> as Optional<W>]?: ValueOf<W>;
};

/** The same fields where nobody vouches for them: in a trace that was read, each may be missing or be of another type. */
export type Said<S extends string> = { readonly [W in Words<S> as Required<W> | Optional<W>]?: FieldValue };

/** How bad what an event says is: the terms of machine checks, `info` for what is no error. */
export type EventSeverity = McaSeverity | 'info';

/**
 * Who reports an error: firmware, a bank of machine checks, a driver of a memory controller, an Arm exception, a PCIe or CXL device, a
 * management controller, Windows. `kernel` of all that tell what a kernel, a hypervisor or a VMM did about one.
 */
export type Reporter = 'firmware' | 'machine-check' | 'driver' | 'arm' | 'device' | 'controller' | 'windows' | 'kernel';

/** What is known of an event beside its fields when it is put into words. */
interface EventContext {
  layer?: string;
  /**
   * Its error record, or the injection that its fields describe, in words. Who shows a trace has them: they are made of tables
   * that readers of lines do without.
   */
  words: () => string;
}

/** What `decode` says of an event that it prints as a record. Without them the event is none. */
export interface RecordWords<S extends string> {
  /** Whose word it is: two of one page are one error only where they can be. */
  reporter: Reporter;
  /** Its name among decoded records, where it is not that of the event with `-` for the dot. */
  name?: string;
  /** The fields it shows, in order, as `name` or `shown=name`; all where this is missing. */
  fields?: string;
  /** Whose error a line speaks of that names none itself: the last one before it that such a reporter told of. */
  of?: (fields: Said<S>) => Reporter | undefined;
  /** Whose report follows a line that says that a machine cannot go on. */
  announces?: Reporter;
  /** Whether the event is about memory errors at all, where not each is. */
  only?: (fields: Said<S>) => boolean;
  /** A few plain words. */
  headline: string;
  /** One to three sentences. */
  explanation: string;
  /** What to look at or do. */
  next: string;
}

export interface Row<S extends string = string> {
  /** `name:type` and `name?:type`, in the order in which they are shown. */
  fields: S;
  /** One plain sentence. */
  text: string;
  /** Default `info`. */
  severity?: EventSeverity;
  /** Its line in the time line of a trace; its fields where this is missing. `null`, or undefined of it: only machinery needs it. */
  line?: ((fields: Said<S>, event: EventContext) => string | undefined) | null;
  record?: RecordWords<S>;
}

/** Writes a row down; what is said of its fields has to name them as they are. */
export function row<const S extends string>(
  fields: S,
  text: string,
  more: Omit<Row<S>, 'fields' | 'text'> = {},
): Row<S> {
  return { fields, text, ...more };
}
