import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { filled } from './values.ts';
import { injectionOf, injects, type Step, stepKinds } from './registry.ts';

const ofArguments = (name: string, args: unknown): Step => {
  const kind = stepKinds.find(k => k.name === name);
  return { step: name, args: kind?.schema.parse(args) } as Step;
};

describe('the steps', () => {
  test('stand in files of their names, each in the registry', () => {
    const files = readdirSync(import.meta.dirname).filter(
      f => !f.endsWith('.test.ts') && readFileSync(join(import.meta.dirname, f), 'utf8').includes('= defineStep('),
    );
    expect(stepKinds.map(({ name }) => `${name}.ts`).toSorted()).toEqual(files.toSorted());
  });

  test.each(stepKinds)('$name is documented, once', ({ name, schema }) => {
    expect(schema.description).toMatch(/^.{10,}$/);
    expect(stepKinds.filter(k => k.name === name)).toHaveLength(1);
  });

  test.each(stepKinds.filter(({ injection }) => injection !== undefined))(
    '$name injects, and says what comes of it',
    ({ legs }) => {
      expect(legs).toBeDefined();
    },
  );

  test.each<[string, object, boolean]>([
    ['inject-mce', { record: 'srao', addr: '$page' }, true],
    ['inject-ghes', { address: '$page' }, true],
    ['host-poison', { address: '$page', how: 'soft-offline' }, true],
    ['poison', { process: 'victim', page: 'page' }, true],
    ['break-walk', { address: '$page' }, true],
    ['hmp', { command: 'mce 0 9 0 0 0 0' }, true],
    ['hmp', { command: 'nmi', injects: true }, true],
    ['hmp', { command: 'info mice' }, false],
    ['qmp', { execute: 'stop' }, false],
    ['qmp', { execute: 'cxl-inject-poison', injects: true }, true],
    ['write-file', { path: '/sys/kernel/debug/mce-inject/bank', value: 9, injects: true }, true],
    ['write-file', { path: '/sys/kernel/debug/mce-inject/bank', value: 9 }, false],
    ['write-msr', { msr: '0x425', value: '$page', injects: true }, true],
    ['xen-mceinj', { domain: 0, address: '$page' }, true],
    ['xen-hptool', { do: 'mem-offline', address: '$page' }, false],
    ['touch', { process: 'victim', page: 'page' }, false],
  ])('%s %j injects: %s', (name, args, expected) => {
    expect(injects(ofArguments(name, args))).toBe(expected);
  });

  test('inject with the values of earlier steps', () => {
    const step = ofArguments('inject-mce', { record: 'srao', addr: '$page', bank: 4, broadcast: true });
    expect(injectionOf(step, argument => (argument === '$page' ? 0x1000n : 1n))).toMatchObject({
      record: 'srao',
      bank: 4,
      addr: 0x1000n,
      broadcast: true,
    });
    const unknown = (): never => {
      throw new Error('not saved yet');
    };
    expect(() => injectionOf(step, unknown)).toThrow('not saved yet');
  });

  test('fill a text with the values of earlier steps', () => {
    const values = new Map<string, bigint | string>([
      ['page', 0x1000n],
      ['page.virt', 'here'],
    ]);
    expect(filled('$page $page.virt: $other', values)).toBe('0x1000 here: $other');
  });
});
