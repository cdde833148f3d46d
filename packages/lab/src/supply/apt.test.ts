import { expect, test } from 'vitest';
import { parseUris } from './apt.ts';

const line = (file: string, size = '12'): string =>
  `'http://m.example/pool/q/${file}' ${file} ${size} SHA256:${'0a'.repeat(32)}`;

test('a package, its version as it is and not as its file is named', () => {
  expect(parseUris(`noise\n${line('qemu_1%3a10.0.2_amd64.deb')}\n`)).toEqual([
    { name: 'qemu', version: '1:10.0.2', bytes: 12, sha256: '0a'.repeat(32) },
  ]);
});

test.each([
  ['an escape that stands for nothing', line('qemu_1%zz_amd64.deb')],
  ['a size that no number holds exactly', line('qemu_1_amd64.deb', '9'.repeat(40))],
  ['no version', line('qemu__amd64.deb')],
])('a line with %s is none of a package', (_what, text) => {
  expect(parseUris(text)).toEqual([]);
});
