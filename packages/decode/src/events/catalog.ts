/**
 * @module Every event there is: its layer, its fields, its severity, its words. Readers of text make these events; lab, trace,
 * `decode`, `watch` and `show` speak of nothing else, and a name that is not here does not compile.
 */
import { AGENT } from './agent.ts';
import { BMC } from './bmc.ts';
import { LAB } from './lab.ts';
import { LINUX } from './linux.ts';
import { QEMU } from './qemu.ts';
import { REFERENCE_VMM } from './reference-vmm.ts';
import type { EventSeverity, FieldType, FieldsOf, Row, Said } from './row.ts';
import { SYSTEMS } from './systems.ts';
import { TOOLS } from './tools.ts';
import { XEN } from './xen.ts';

type EventLayer = 'host' | 'guest' | 'domu' | 'xen' | 'vmm' | 'process' | 'lab' | 'machine';

/** Of everything but Linux: the layer stands in the name. */
const LAYERED = { ...XEN, ...QEMU, ...REFERENCE_VMM, ...AGENT, ...LAB };
/** Of other systems, of tools and controllers: no trace of the lab holds them. */
const OUTSIDE = { ...TOOLS, ...SYSTEMS, ...BMC };
const BARE = { ...LINUX, ...OUTSIDE };
const KINDS = { ...BARE, ...LAYERED };

type Kinds = typeof KINDS;
/** What Linux reports, without the layer in front of it. */
export type LinuxKind = keyof typeof LINUX;
/** The layers in which a Linux may run. */
export type LinuxLayer = 'guest' | 'host' | 'domu';
/** An event as a reader of text makes it: what Linux and its tools say has no layer yet. */
export type EventKind = keyof Kinds;
/** An event as a trace names it: `guest.panic`, `vmm.exit`, … */
export type EventName = `${LinuxLayer}.${LinuxKind}` | keyof typeof LAYERED;

type KindOf<N extends EventName> = N extends EventKind
  ? N
  : N extends `${LinuxLayer}.${infer K extends LinuxKind}`
    ? K
    : never;
type SpecOf<K extends EventKind> = Kinds[K] extends Row<infer S> ? S : never;

/** The fields of an event by its name without a layer. */
export type KindFields<K extends EventKind> = FieldsOf<SpecOf<K>>;
/** The fields of an event by its name in a trace. */
export type EventFields<N extends EventName> = KindFields<KindOf<N>>;
/** The same fields as a trace from anybody holds them: there or not, of any type. */
export type SaidFields<N extends EventName> = Said<SpecOf<KindOf<N>>>;

export interface CatalogField {
  type: FieldType;
  /** True when the event may come without it. */
  optional: boolean;
}

interface CatalogEvent extends Row {
  name: EventName;
  layer: EventLayer;
  severity: EventSeverity;
  fieldTypes: Readonly<Record<string, CatalogField>>;
}

/** `'name:type other?:type'` taken apart. */
function fieldTypes(spec: string): Record<string, CatalogField> {
  const out: Record<string, CatalogField> = {};
  for (const word of spec.split(' ').filter(w => w !== '')) {
    const [name = '', type = ''] = word.split(':');
    out[name.replace('?', '')] = { type: type as FieldType, optional: name.endsWith('?') };
  }
  return out;
}

const rowsOf = (table: object): [string, Row][] => Object.entries(table as Record<string, Row>);

function entry(name: string, row: Row): CatalogEvent {
  const layer = name.slice(0, name.indexOf('.')) as EventLayer;
  return { severity: 'info', ...row, name: name as EventName, layer, fieldTypes: fieldTypes(row.fields) };
}

const linux = (layer: LinuxLayer): CatalogEvent[] => rowsOf(LINUX).map(([kind, row]) => entry(`${layer}.${kind}`, row));
const layered = (layer: EventLayer): CatalogEvent[] =>
  rowsOf(LAYERED).flatMap(([name, row]) => (name.startsWith(`${layer}.`) ? [entry(name, row)] : []));

/** All events, in the order of the layers. */
export const CATALOG: readonly CatalogEvent[] = [
  ...linux('host'),
  ...layered('host'),
  ...linux('guest'),
  ...layered('guest'),
  ...linux('domu'),
  ...layered('domu'),
  ...(['xen', 'vmm', 'process', 'lab', 'machine'] as const).flatMap(layered),
];

const BY_NAME: ReadonlyMap<string, CatalogEvent> = new Map(CATALOG.map(e => [e.name, e]));

/** Every event name. */
export function eventNames(): EventName[] {
  return CATALOG.map(e => e.name);
}

/** The catalog's row of a name, or undefined. */
export function catalogEvent(name: string): CatalogEvent | undefined {
  return BY_NAME.get(name);
}

/** The row of an event as a reader makes it. */
export function kindRow(kind: EventKind): Row {
  return KINDS[kind] as Row;
}

/** The types of the fields of an event as a reader makes it. */
export function kindFieldTypes(kind: EventKind): Readonly<Record<string, CatalogField>> {
  return fieldTypes(KINDS[kind].fields);
}

/** Every event that a reader may make. */
export const eventKinds: readonly EventKind[] = Object.keys(KINDS) as EventKind[];

/** The name in a trace of what a reader made: Linux gets the layer it runs in. Undefined for what no trace holds. */
export function nameIn(layer: LinuxLayer, kind: EventKind): EventName | undefined {
  if (Object.hasOwn(LINUX, kind)) return `${layer}.${kind as LinuxKind}`;
  return Object.hasOwn(OUTSIDE, kind) ? undefined : (kind as EventName);
}

/**
 * The name of an event in a trace that anybody may have written, also with a later catalogue: it is compared with those that
 * are known, and shown. The one place where a text becomes a name without being one.
 */
export function foreignName(name: string): EventName {
  return name as EventName;
}
