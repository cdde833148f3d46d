/**
 * Stands in for `vitest` in test files that the mutation runner loads: `describe` and `it` collect, `expect` is the real
 * one. So hundreds of mutants run in one warm process, without a start of vitest for each.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect as realExpect } from 'vitest';

type Body = (...args: unknown[]) => unknown;
interface Test {
  name: string;
  run: () => unknown;
}

/** The tests of the file that was loaded last, and that file. */
export const collected: { file: string; tests: Test[] } = { file: '', tests: [] };
let path: string[] = [];

function group(name: string, body: Body, args: unknown[] = []): void {
  const outer = path;
  path = [...path, name];
  body(...args);
  path = outer;
}
function add(name: string, body: Body, args: unknown[] = []): void {
  collected.tests.push({ name: [...path, name].join(' > '), run: () => body(...args) });
}
const each =
  (take: (name: string, body: Body, args: unknown[]) => void) =>
  (table: readonly unknown[]) =>
  (name: string, body: Body): void =>
    table.forEach((row, i) => take(`${name} #${i}`, body, Array.isArray(row) ? row : [row]));

export const describe = Object.assign((name: string, body: Body) => group(name, body), { each: each(group) });
export const it = Object.assign((name: string, body: Body) => add(name, body), { each: each(add) });
export const test = it;

/** Compares with a golden file; the real matcher needs the state of a running vitest. */
function toMatchFileSnapshot(received: unknown, file: string): void {
  if (readFileSync(join(dirname(collected.file), file), 'utf8') !== received) throw new Error(`differs from ${file}`);
}
export const expect = new Proxy(realExpect, {
  apply(target, _this, [received, message]: [unknown, string | undefined]) {
    const assertion = target(received, message);
    return new Proxy(assertion, {
      get: (of, name) =>
        name === 'toMatchFileSnapshot'
          ? (file: string) => toMatchFileSnapshot(received, file)
          : (Reflect.get(of, name, of) as unknown),
    });
  },
});
