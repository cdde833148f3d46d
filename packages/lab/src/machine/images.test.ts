import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { imageData, vmmSources } from './images.ts';
import { stripTypes } from './strip-types.ts';

describe('the reference VMM as it goes into an image', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'images-'));
    for (const part of vmmSources()) {
      mkdirSync(dirname(join(dir, part.path)), { recursive: true });
      writeFileSync(join(dir, part.path), imageData(part));
    }
  });
  afterAll(() => rmSync(dir, { recursive: true }));
  const node = (...args: string[]) =>
    spawnSync(process.execPath, ['--no-experimental-strip-types', ...args], { encoding: 'utf8', timeout: 20_000 });
  const paths = vmmSources().map(part => part.path);

  test('holds JavaScript only, and no test', () => {
    expect(
      paths.filter(
        path =>
          !/^syndrome\/(?:node_modules\/@syndrome\/decode\/)?(?:package\.json|src\/(?:[\w-]+\/)?[\w-]+\.js)$/.test(
            path,
          ),
      ),
    ).toEqual([]);
    expect(paths).toContain('syndrome/src/vcpu-thread.js');
    expect(paths).toContain('syndrome/node_modules/@syndrome/decode/src/arm/classify.js');
  });

  test('holds nothing that only types need', () => {
    expect(paths.filter(path => path.includes('/decode/src/events/') || path.includes('/decode/src/mca/'))).toEqual([]);
  });

  test('runs on a Node that knows nothing of types', () => {
    const { status, stdout, stderr } = node(join(dir, 'syndrome/src/main.js'), '--help');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('--kernel FILE');
  });

  test.each(['machine.js', 'vcpu-thread.js', 'sigbus-thread.js'])('%s is JavaScript', name => {
    expect(node('--check', join(dir, 'syndrome/src', name))).toMatchObject({ status: 0, stderr: '' });
  });

  test('each import of the project is in the image', () => {
    const missing = paths.flatMap(path => {
      const text = readFileSync(join(dir, path), 'utf8');
      return [...text.matchAll(/'(?:(\.{1,2}\/[^'\n]+\.[jt]s)|@syndrome\/(\w+)\/([^'\n]+))'/g)]
        .map(([, own, name, inner]) =>
          own === undefined ? `syndrome/node_modules/@syndrome/${name}/src/${inner}` : join(dirname(path), own),
        )
        .filter(target => !paths.includes(target))
        .map(target => `${path}: ${target}`);
    });
    expect(missing).toEqual([]);
  });
});

test('stripping keeps lines and columns, and makes the same of the same', () => {
  const source =
    "import type { A } from './a.ts';\nimport { b } from '../b.ts';\nexport const c = (x: A): number => b(x);\n";
  const js = stripTypes(source);
  expect(stripTypes(source)).toBe(js);
  expect(js).toBe(`${' '.repeat(32)}\nimport { b } from '../b.js';\nexport const c = (x   )         => b(x);\n`);
});
