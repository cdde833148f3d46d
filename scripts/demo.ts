/** `npm run demo`: from a bare clone to two judged memory errors in a real kernel, and to a VM that the supervisor saves from three. */
import { join } from 'node:path';
import { runChild } from './child.mjs';
import { commandLine } from './command-line.ts';

commandLine({});
const root = join(import.meta.dirname, '..');
const started = process.hrtime.bigint();

const codes: number[] = [];

/** Runs the program; an interruption ends the demo too. */
async function syndrome(...args: string[]): Promise<void> {
  console.log(`\n$ syndrome ${args.join(' ')}`);
  const child = await runChild(process.execPath, [join(root, 'packages/cli/src/main.ts'), ...args]);
  if (child.interrupted || child.code >= 128) process.exit(child.code);
  codes.push(child.code);
}

console.log('Syndrome: a real QEMU and a real Linux kernel, a memory error injected from outside, and a verdict.');
console.log(
  'The first run fetches about 90 MB of Debian packages into a cache; nothing is installed, no root is needed.',
);
await syndrome('scenarios', '--explain', 'intel-srao-process');
await syndrome('run', 'intel-srao-process');
await syndrome('run', 'intel-uc-fatal');
console.log('\nThe other half: two hosts, a controller and a VM on this machine; three of its pages are lost.');
await syndrome('drill', 'demo');
const seconds = Number((process.hrtime.bigint() - started) / 1_000_000n) / 1000;
const worst = Math.max(...codes);
console.log(
  `Demo ${worst === 0 ? 'done' : 'failed'} in ${seconds.toFixed(1)} s. More: bin/syndrome run --all, bin/syndrome --help`,
);
process.exitCode = worst;
