/**
 * Compares what commands.ts claims with the `query-qmp-schema` of a running QEMU. That schema masks type names, so the
 * comparison walks the types: commands, events and members have names, types only have a meta-type.
 * Source: qapi/introspect.json.
 */
import { type CommandShape, commands, type EventShape, events } from '../commands.ts';
import { QmpProtocolError } from '../errors.ts';
import { type Members, memberName, type Shape } from '../shapes.ts';

export type Disagreement = {
  /** Where, e.g. `set-action argument 'panic'`. */
  where: string;
  what: string;
  /** `absent`: this QEMU lacks the whole command or event. `wrong`: our claim is false. `unlisted`: it has more than we know. */
  kind: 'absent' | 'wrong' | 'unlisted';
};

/** One entity of the schema; which members are there depends on `meta-type`. */
type Entity = {
  name: string;
  'meta-type': string;
  'json-type'?: string;
  'element-type'?: string;
  'arg-type'?: string;
  'ret-type'?: string;
  members?: { name?: string; type?: string; default?: unknown }[];
};

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function isEntity(value: unknown): value is Entity {
  if (!isObject(value) || typeof value['name'] !== 'string' || typeof value['meta-type'] !== 'string') return false;
  const { members } = value;
  return members === undefined || (Array.isArray(members) && members.every(isObject));
}

/**
 * Lists where the tables and the schema (the return of `query-qmp-schema`) disagree; empty when every claim holds. A
 * command that is `absent` may be younger than this QEMU: see its `since`. Throws QmpProtocolError for what is no schema.
 */
export function compareWithSchema(schema: unknown): Disagreement[] {
  const walk = new SchemaWalk(schema);
  for (const [name, shape] of Object.entries<CommandShape>(commands)) walk.command(name, shape);
  for (const [name, shape] of Object.entries<EventShape>(events)) walk.event(name, shape);
  return walk.found;
}

class SchemaWalk {
  readonly found: Disagreement[] = [];
  readonly #entities: ReadonlyMap<string, Entity>;

  constructor(schema: unknown) {
    if (!Array.isArray(schema)) throw new QmpProtocolError('a schema is an array', typeof schema);
    const odd = schema.findIndex(entity => !isEntity(entity));
    if (odd >= 0) throw new QmpProtocolError(`entity ${odd} of the schema is none`, typeof schema[odd]);
    this.#entities = new Map((schema as Entity[]).map(entity => [entity.name, entity]));
  }

  command(name: string, shape: CommandShape): void {
    const entity = this.#top(name, 'command');
    if (entity === undefined) return;
    this.#members(`${name} argument`, shape.arguments, entity['arg-type'], 'sent');
    this.#shape(`${name} return`, shape.return, entity['ret-type'], 'received');
  }

  event(name: string, shape: EventShape): void {
    const entity = this.#top(name, 'event');
    if (entity !== undefined) this.#members(`${name} data`, shape.data, entity['arg-type'], 'received');
  }

  #top(name: string, metaType: string): Entity | undefined {
    const entity = this.#entities.get(name);
    if (entity?.['meta-type'] === metaType) return entity;
    this.#report(name, `this QEMU has no such ${metaType}`, 'absent');
    return undefined;
  }

  #members(where: string, claimed: Members, type: string | undefined, way: 'sent' | 'received'): void {
    const entity = this.#entities.get(type ?? '');
    if (entity?.['meta-type'] !== 'object') return this.#report(where, 'is not an object');
    const real = new Map((entity.members ?? []).map(member => [member.name, member]));
    const named = new Set<string>();
    for (const [key, shape] of Object.entries(claimed)) {
      const { name, optional } = memberName(key);
      named.add(name);
      const at = `${where} '${name}'`;
      const member = real.get(name);
      if (member === undefined) {
        this.#report(at, 'does not exist');
        continue;
      }
      // The schema marks an optional member by a `default` (of null).
      const really = 'default' in member;
      if (way === 'sent' && optional && !really) this.#report(at, 'is mandatory, we claim optional');
      if (way === 'received' && !optional && really) this.#report(at, 'is optional, we claim mandatory');
      this.#shape(at, shape, member.type, way);
    }
    if (way === 'received') return;
    for (const [name, member] of real) {
      if (!named.has(name ?? '') && !('default' in member))
        this.#report(`${where} '${name}'`, 'is mandatory, we lack it');
    }
  }

  #shape(where: string, shape: Shape, type: string | undefined, way: 'sent' | 'received'): void {
    const entity = this.#entities.get(type ?? '');
    if (entity === undefined) return this.#report(where, 'has a type the schema does not hold');
    if (typeof shape === 'string') return this.#scalar(where, shape, entity, way);
    if ('members' in shape) return this.#members(where, shape.members, type, way);
    if ('array' in shape) {
      if (entity['meta-type'] !== 'array') return this.#report(where, 'is not an array');
      return this.#shape(`${where} element`, shape.array, entity['element-type'], way);
    }
    if (entity['meta-type'] !== 'enum') return this.#report(where, 'is not an enum');
    const real = new Set((entity.members ?? []).map(member => member.name));
    for (const value of shape.enum) if (!real.has(value)) this.#report(where, `has no value '${value}'`);
    if (way === 'sent') return;
    for (const value of real) {
      if (!shape.enum.includes(value ?? '')) this.#report(where, `may also be '${value}'`, 'unlisted');
    }
  }

  #scalar(where: string, shape: Shape & string, entity: Entity, way: 'sent' | 'received'): void {
    if (entity['meta-type'] === 'builtin' && entity['json-type'] === shape) return;
    // What arrives as an enum value is a string, and the long list of, say, all targets is nobody's concern.
    if (way === 'received' && shape === 'string' && entity['meta-type'] === 'enum') return;
    this.#report(where, `is ${entity['json-type'] ?? entity['meta-type']}, we claim ${shape}`);
  }

  #report(where: string, what: string, kind: Disagreement['kind'] = 'wrong'): void {
    this.found.push({ where, what, kind });
  }
}
