import { describe, expect, test } from 'vitest';
import { QmpProtocolError } from '../errors.ts';
import { type Disagreement, compareWithSchema } from './schema.ts';

/** A schema in QEMU's form that knows only what is put into it; the real one is compared in the machine test. */
function schemaOf(argMembers: object[], values: string[]): object[] {
  return [
    { name: 'set-action', 'meta-type': 'command', 'arg-type': '1', 'ret-type': '0' },
    { name: '0', 'meta-type': 'object', members: [] },
    { name: '1', 'meta-type': 'object', members: argMembers },
    { name: '2', 'meta-type': 'enum', members: values.map(name => ({ name })) },
    {
      name: '3',
      'meta-type': 'enum',
      members: ['reset', 'shutdown', 'poweroff', 'pause', 'debug', 'none', 'inject-nmi'].map(name => ({ name })),
    },
    { name: 'WATCHDOG', 'meta-type': 'event', 'arg-type': '4' },
    { name: '4', 'meta-type': 'object', members: [{ name: 'action', type: '5' }] },
    { name: '5', 'meta-type': 'enum', members: ['reset', 'newer'].map(name => ({ name })) },
  ];
}

const all = ['reset', 'shutdown', 'poweroff', 'pause', 'exit-failure', 'none'];
const members = [
  { name: 'reboot', type: '2', default: null },
  { name: 'shutdown', type: '2', default: null },
  { name: 'panic', type: '2', default: null },
  { name: 'watchdog', type: '3', default: null },
];

function about(found: Disagreement[], start: string): string[] {
  return found
    .filter(d => d.kind !== 'absent' && d.where.startsWith(start))
    .map(d => `${d.kind}: ${d.where} ${d.what}`);
}

describe('compareWithSchema', () => {
  test('agrees where the claims hold, and tells what is absent', () => {
    const found = compareWithSchema(schemaOf(members, all));
    expect(about(found, 'set-action')).toEqual([]);
    expect(found).toContainEqual({ where: 'query-status', what: 'this QEMU has no such command', kind: 'absent' });
  });

  test('sees a member that is gone, mandatory, new and mandatory, of another type, and a value that is gone', () => {
    const changed = [
      { name: 'reboot', type: '2' },
      { name: 'panic', type: '2', default: null },
      { name: 'watchdog', type: '0', default: null },
      { name: 'extra', type: '2' },
    ];
    expect(
      about(
        compareWithSchema(
          schemaOf(
            changed,
            all.filter(v => v !== 'exit-failure'),
          ),
        ),
        'set-action',
      ),
    ).toEqual([
      "wrong: set-action argument 'reboot' is mandatory, we claim optional",
      "wrong: set-action argument 'shutdown' does not exist",
      "wrong: set-action argument 'panic' has no value 'exit-failure'",
      "wrong: set-action argument 'watchdog' is not an enum",
      "wrong: set-action argument 'extra' is mandatory, we lack it",
    ]);
  });

  test('sees a received value we do not know', () => {
    expect(about(compareWithSchema(schemaOf(members, all)), 'WATCHDOG')).toContain(
      "unlisted: WATCHDOG data 'action' may also be 'newer'",
    );
  });

  test.each([
    ['no list', {}],
    ['an entity that is none', [null]],
    ['an entity without a name', [{ 'meta-type': 'object' }]],
    ['members that are no list', [{ name: '0', 'meta-type': 'object', members: {} }]],
    ['a member that is none', [{ name: '0', 'meta-type': 'enum', members: ['a'] }]],
  ])('what is no schema is a protocol error: %s', (_what, schema) => {
    expect(() => compareWithSchema(schema)).toThrow(QmpProtocolError);
  });
});
