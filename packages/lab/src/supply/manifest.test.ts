import { expect, test } from 'vitest';
import { parseManifest } from './manifest.ts';

const SOUND = {
  schema: 1,
  kind: 'qemu',
  name: 'qemu-x86_64',
  version: '10.0.2',
  created: '2026-01-01T00:00:00.000Z',
  origin: { mirror: 'deb.example', suites: ['sid'] },
  packages: [{ name: 'qemu-system-x86', version: '1:10.0.2', sha256: 'ab', bytes: 5 }],
  facts: { program: 'root/usr/bin/qemu' },
  files: [['root/usr/bin/qemu', 5, 1.5, 'ab']],
  links: [['root/a', '../b']],
};

test('a manifest is taken as it is', () => {
  expect(parseManifest(JSON.stringify(SOUND))).toEqual(SOUND);
});

test.each<[string, object]>([
  ['facts that are null', { facts: null }],
  ['a fact that is a number', { facts: { program: 5 } }],
  ['a fact with a byte that no file name has', { facts: { program: 'a\0b' } }],
  ['no origin', { origin: undefined }],
  ['an origin without suites', { origin: { mirror: 'm' } }],
  ['no kind', { kind: undefined }],
  ['a name that is a list', { name: ['a'] }],
  ['a file that is null', { files: [null] }],
  ['a file without its hash', { files: [['a', 1, 1]] }],
  ['a file that leads out of the part', { files: [['../../x', 1, 1, 'ab']] }],
  ['a file from the root', { files: [['/etc/passwd', 1, 1, 'ab']] }],
  ['a size below nothing', { files: [['a', -1, 1, 'ab']] }],
  ['a link that leads out of the part', { links: [['a/../../b', 'c']] }],
  ['a link to nothing', { links: [['a', null]] }],
  ['a package that is a name', { packages: ['qemu'] }],
  ['another schema', { schema: 2 }],
])('one with %s is none', (_what, change) => {
  expect(parseManifest(JSON.stringify({ ...SOUND, ...change }))).toBeUndefined();
});

test.each(['', 'null', '5', '[]', '{"schema": 1'])('%j is none', text => {
  expect(parseManifest(text)).toBeUndefined();
});
