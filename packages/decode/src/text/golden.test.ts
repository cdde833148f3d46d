/**
 * Golden files: `golden/<parser>/<name>.log` is the input, `<name>.golden` the events it gives, one JSON object a
 * line. `UPDATE_GOLDEN=1` rewrites them. A name that starts with `no-` is a negative test: no error may be seen in it.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from '../common/hex.ts';
import { catalogEvent } from '../events/catalog.ts';
import type { LogEvent } from '../events/event.ts';
import type { FieldType } from '../events/row.ts';
import { linuxEvents, qemuEvents, xenEvents } from './event-reader.ts';
import type { EventReader } from './event-reader.ts';

const DIR = join(import.meta.dirname, 'golden');
const PARSERS: Readonly<Record<string, () => EventReader>> = {
  linux: () => linuxEvents(),
  host: () => linuxEvents('host'),
  xen: xenEvents,
  qemu: qemuEvents,
};
const BIGINTS: readonly FieldType[] = ['address', 'register', 'pfn', 'bigint'];
/** What a log of a healthy boot may hold. */
const HARMLESS = /\.(boot|reboot|message|panic)$/;

/** What is wrong with an event by the catalog; empty when nothing is. */
function catalogFaults(event: LogEvent): string[] {
  const row = catalogEvent(event.name);
  if (row === undefined) return [`${event.name} is not in the catalog`];
  const faults: string[] = [];
  for (const [field, value] of Object.entries(event.fields)) {
    const type = row.fieldTypes[field]?.type;
    const wanted = type !== undefined && BIGINTS.includes(type) ? 'bigint' : type;
    if (typeof value !== wanted) faults.push(`${event.name} ${field} is ${typeof value}, the catalog says ${type}`);
  }
  for (const [field, { optional }] of Object.entries(row.fieldTypes)) {
    if (!optional && !Object.hasOwn(event.fields, field)) faults.push(`${event.name} lacks ${field}`);
  }
  return faults;
}

/** Whether a record's line range lies inside its log. */
function originInside(event: LogEvent, lines: number): boolean {
  const origin = event.record?.origin;
  if (origin === undefined) return event.record === undefined;
  return origin.firstLine >= 1 && origin.firstLine <= origin.lastLine && origin.lastLine <= lines;
}

function parse(make: () => EventReader, log: string): LogEvent[] {
  const parser = make();
  const events = log.split('\n').flatMap(line => parser.push(line));
  return [...events, ...parser.end()];
}

const cases = Object.keys(PARSERS).flatMap(kind => {
  const dir = join(DIR, kind);
  const files = existsSync(dir) ? readdirSync(dir).filter(f => f.endsWith('.log')) : [];
  return files.map(f => ({ kind, name: f.slice(0, -'.log'.length), path: join(dir, f) }));
});

describe('golden logs', () => {
  it('are there', () => {
    expect(cases.length).toBeGreaterThan(10);
  });

  it.each(cases)('$kind/$name', ({ kind, name, path }) => {
    const log = readFileSync(path, 'utf8');
    const events = parse(PARSERS[kind] ?? linuxEvents, log);
    const text = events.map(e => `${stringify(e)}\n`).join('');
    const golden = path.replace(/\.log$/, '.golden');
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, text);
    expect(text).toBe(readFileSync(golden, 'utf8'));
    expect(events.flatMap(catalogFaults)).toEqual([]);
    expect(events.filter(e => !originInside(e, log.split('\n').length))).toEqual([]);
    const alarming = events.filter(e => !HARMLESS.test(e.name) || e.record !== undefined);
    expect(name.startsWith('no-') ? alarming : []).toEqual([]);
  });
});
