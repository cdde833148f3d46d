import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const MODULE = new URL('stay-small.ts', import.meta.url).href;

/** What V8 says of the functions that it compiles to be faster, while one is called a million times. */
function optimized(before: string): string[] {
  const script = `${before}
    let sum = 0;
    const add = n => (sum += n % 7);
    for (let i = 0; i < 1e6; i++) add(i);
    console.log('sum', sum);`;
  // At once, and not in another thread that may come too late.
  const flags = ['--trace-opt', '--no-concurrent-recompilation', '--input-type=module'];
  const { stdout } = spawnSync(process.execPath, [...flags, '-e', script], { encoding: 'utf8', timeout: 20_000 });
  expect(stdout).toMatch(/^sum 2999/m);
  return stdout.split('\n').filter(line => /completed (?:compiling|optimizing).*JSFunction add/.test(line));
}

test('what an agent does often is not compiled again', () => {
  expect(optimized('')).not.toEqual([]);
  expect(optimized(`const { staySmall } = await import('${MODULE}'); staySmall();`)).toEqual([]);
});
