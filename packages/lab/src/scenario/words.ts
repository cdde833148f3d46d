/** @module What a word of a scenario file means: a step, a kind of machine, an event. All from their own tables. */
import { z } from 'zod';
import { CATALOG, catalogEvent } from '@syndrome/decode/events/catalog.ts';
import { machineKinds } from '../machines/registry.ts';
import { stepKind, stepKinds } from '../steps/registry.ts';

/** A member of a machine, an argument of a step, a field of an event. */
interface WordMember {
  name: string;
  /** What it says, or its type where nothing is said of it. */
  about: string;
  /** Missing where it may be left out. */
  needed?: true;
}

export interface ScenarioWord {
  name: string;
  what: 'step' | 'machine' | 'event';
  about: string;
  members: readonly WordMember[];
}

/** As much of a JSON Schema as is shown. */
interface Shown {
  description?: string;
  type?: string;
  enum?: readonly string[];
  default?: unknown;
  properties?: Readonly<Record<string, Shown>>;
  required?: readonly string[];
}

const shownOf = (schema: z.ZodType): Shown => z.toJSONSchema(schema, { io: 'input' }) as Shown;

function aboutMember({ description, type, enum: names, default: byDefault }: Shown): string {
  const about = description ?? names?.join(', ') ?? type ?? '';
  return byDefault === undefined || byDefault === '' ? about : `${about} (default: ${JSON.stringify(byDefault)})`;
}

function membersOf({ properties = {}, required = [] }: Shown, without?: string): WordMember[] {
  return Object.entries(properties)
    .filter(([name]) => name !== without)
    .map(([name, member]) => ({
      name,
      about: aboutMember(member),
      ...(required.includes(name) ? { needed: true as const } : {}),
    }));
}

/** The steps, the kinds of machine, and the events that an expectation may name, in the order of their registries. */
export function scenarioWords(): string[] {
  return [...stepKinds.map(kind => kind.name), ...machineKinds().map(kind => kind.name), ...CATALOG.map(e => e.name)];
}

/** What a word means; undefined for one that is none of {@link scenarioWords}. */
export function scenarioWord(name: string): ScenarioWord | undefined {
  const step = stepKind(name);
  if (step !== undefined) {
    const shown = shownOf(step.schema);
    return { name, what: 'step', about: shown.description ?? '', members: membersOf(shown) };
  }
  const machine = machineKinds().find(kind => kind.name === name);
  if (machine !== undefined) {
    const shown = shownOf(machine.schema);
    return {
      name,
      what: 'machine',
      about: shown.properties?.['kind']?.description ?? '',
      members: membersOf(shown, 'kind'),
    };
  }
  const event = catalogEvent(name);
  if (event === undefined) return undefined;
  const members = Object.entries(event.fieldTypes).map(([field, { type, optional }]) => ({
    name: field,
    about: type,
    ...(optional ? {} : { needed: true as const }),
  }));
  return { name, what: 'event', about: event.text, members };
}
