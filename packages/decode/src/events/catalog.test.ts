import { describe, expect, it } from 'vitest';
import { CATALOG, catalogEvent, eventKinds, eventNames, kindFieldTypes, kindRow } from './catalog.ts';
import { event } from './event.ts';

const TYPES = ['string', 'number', 'boolean', 'address', 'register', 'pfn', 'bigint', 'any'];

describe('catalog', () => {
  it('names each event once, with its layer in front and one sentence', () => {
    expect(new Set(eventNames()).size).toBe(CATALOG.length);
    for (const e of CATALOG) {
      expect(e.name.startsWith(`${e.layer}.`)).toBe(true);
      expect(e.name).toMatch(/^[a-z]+\.[a-z]+(-[a-z]+)*$/);
      expect(e.text).toMatch(/^[A-Z].*\.$/);
      for (const [name, field] of Object.entries(e.fieldTypes))
        expect([name, TYPES]).toEqual([name, expect.arrayContaining([field.type])]);
    }
  });

  it('finds an event by name, and nothing for another', () => {
    expect(catalogEvent('process.signal')?.fieldTypes['addr']).toEqual({ type: 'address', optional: true });
    expect(catalogEvent('xen.mce')?.fieldTypes['mcgStatus']).toEqual({ type: 'register', optional: true });
    expect(catalogEvent('host.memory-failure')?.layer).toBe('host');
    expect(catalogEvent('constructor')).toBeUndefined();
  });

  it('takes no name and no field that is not in it: this compiles only because each of these does not', () => {
    const wrong = [
      // @ts-expect-error no event has this name
      () => event('guest.pannic', { message: 'x' }),
      // @ts-expect-error the field is a number
      () => event('vmm.exit', { code: '1' }),
      // @ts-expect-error it must have a result
      () => event('guest.memory-failure', { pfn: 1n, page: 'x' }),
      // @ts-expect-error it has no such field
      () => event('xen.kexec', { cpu: 0, seq: 1 }),
    ];
    expect(wrong).toHaveLength(4);
    expect(event('guest.memory-failure', { pfn: 1n, page: 'x', result: 'Recovered' })).toEqual({
      name: 'guest.memory-failure',
      fields: { pfn: 1n, page: 'x', result: 'Recovered' },
    });
  });

  it('names in the words of a record only fields that the event has', () => {
    for (const kind of eventKinds) {
      const shown = kindRow(kind).record?.fields?.split(' ') ?? [];
      const names = shown.map(word => word.split('=').at(-1));
      expect(Object.keys(kindFieldTypes(kind)), kind).toEqual(expect.arrayContaining(names));
    }
  });
});
