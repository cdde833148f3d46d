import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { isHostile } from '@syndrome/decode/common/screen.ts';
import { shellQuote } from './qemu-args.ts';

test('a command line is what a shell takes it for, and holds nothing that a screen obeys', () => {
  const args = ['-kernel', '/a b/it\'s "c"', 'x\u001b]0;P\u0007\\y\'"$z`', 'zero\u200bwidth\nline é \u{e0041}', ''];
  const line = shellQuote(args);
  expect(isHostile(line)).toBe(false);
  const said = spawnSync('bash', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8', env: { LC_ALL: 'C' } });
  expect(said.stdout.split('\0').slice(0, -1)).toEqual(args);
});
