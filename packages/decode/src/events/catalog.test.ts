import { describe, expect, it } from 'vitest';
import { CATALOG, catalogEvent, eventNames } from './catalog.ts';

const TYPES = ['string', 'number', 'boolean', 'address', 'register', 'pfn', 'bigint', 'any'];

describe('catalog', () => {
  it('names each event once, with its layer in front and one sentence', () => {
    expect(new Set(eventNames()).size).toBe(CATALOG.length);
    for (const e of CATALOG) {
      expect(e.name.startsWith(`${e.layer}.`)).toBe(true);
      expect(e.name).toMatch(/^[a-z]+\.[a-z]+(-[a-z]+)*$/);
      expect(e.text).toMatch(/^[A-Z].*\.$/);
      for (const [name, field] of Object.entries(e.fields))
        expect([name, TYPES]).toEqual([name, expect.arrayContaining([field.type])]);
    }
  });

  it('finds an event by name, and nothing for another', () => {
    expect(catalogEvent('process.signal')?.fields['addr']).toEqual({ type: 'address', optional: true });
    expect(catalogEvent('xen.mce')?.fields['mcgStatus']).toEqual({ type: 'register', optional: true });
    expect(catalogEvent('host.memory-failure')?.layer).toBe('host');
    expect(catalogEvent('constructor')).toBeUndefined();
  });
});
