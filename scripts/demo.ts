/** `npm run demo`: from a bare clone to two judged memory errors in a real kernel. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const started = process.hrtime.bigint();

function syndrome(...args: string[]): number {
  console.log(`\n$ syndrome ${args.join(' ')}`);
  const child = spawnSync(process.execPath, [join(root, 'src/cli/main.ts'), ...args], { stdio: 'inherit' });
  if (child.signal !== null) process.exit(130);
  return child.status ?? 3;
}

console.log('Syndrome: a real QEMU and a real Linux kernel, a memory error injected from outside, and a verdict.');
console.log(
  'The first run fetches about 90 MB of Debian packages into a cache; nothing is installed, no root is needed.',
);
const codes = [
  syndrome('scenarios', '--explain', 'intel-srao-process'),
  syndrome('run', 'intel-srao-process'),
  syndrome('run', 'intel-uc-fatal'),
];
const seconds = Number((process.hrtime.bigint() - started) / 1_000_000n) / 1000;
const worst = Math.max(...codes);
console.log(
  `Demo ${worst === 0 ? 'done' : 'failed'} in ${seconds.toFixed(1)} s. More: bin/syndrome run --all, bin/syndrome --help`,
);
process.exitCode = worst;
