/** package-lock.json: every package with its hash, and none tied to the registry of the machine that made the file. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const { lockfileVersion, packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
  lockfileVersion: number;
  packages: Record<string, { version?: string; resolved?: string; integrity?: string; link?: true }>;
};
/** The project's own packages, and the links to them, come with the clone. */
const installed = Object.entries(packages).filter(
  ([folder, { link }]) => folder.includes('node_modules/') && link !== true,
);

test('the form is the one that npm 9 and npm 11 read', () => {
  expect(lockfileVersion).toBe(3);
  expect(installed.length).toBeGreaterThan(100);
});

test('every package has the hash of its tarball, those for other systems too', () => {
  // npm ci on such a system would take whatever the registry gives. npm view NAME@VERSION dist.integrity tells the hash.
  const without = installed.filter(([, { integrity }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ''));
  expect(without.map(([folder, { version }]) => `${folder} ${version}`)).toEqual([]);
});

test('no package names a host: npm asks the registry that it is configured with', () => {
  expect(installed.filter(([, { resolved }]) => resolved !== undefined).map(([folder]) => folder)).toEqual([]);
  // npm writes the file without them where this is set.
  expect(readFileSync(join(ROOT, '.npmrc'), 'utf8')).toMatch(/^omit-lockfile-registry-resolved=true$/m);
});
