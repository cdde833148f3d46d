/**
 * `npm run soak -- [--kills N] [--seed S] [--store sqlite|postgresql] [--json]`: real agents, controllers and a QEMU, and the PostgreSQL
 * below them, are killed with -9 and paused at random moments while pages are lost and the VM is moved between two hosts. Exit code 1 where
 * anything was lost, done twice or stuck.
 */
import { commandLine, wrongCommandLine } from './command-line.ts';
import { postgresMissing } from '@syndrome/base/store/testing/postgres-server.ts';
import { testQemu } from '@syndrome/qemu/qmp/testing/qemu.ts';
import { soak } from './soak/soak.ts';

const { values } = commandLine({
  options: {
    kills: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    store: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const whole = (name: 'kills' | 'seed'): number => {
  const n = Number(values[name]);
  return Number.isSafeInteger(n) && n > 0
    ? n
    : wrongCommandLine(`--${name} ${values[name]}: not a whole number from 1 on`);
};
const [kills, seed] = [whole('kills'), whole('seed')];
if (values.store !== undefined && !['sqlite', 'postgresql'].includes(values.store))
  wrongCommandLine(`--store ${values.store}: sqlite or postgresql`);
const missing = postgresMissing();
if (values.store === 'postgresql' && missing !== undefined) wrongCommandLine(`--store postgresql: ${missing}`);
if (values.store === undefined && missing !== undefined) console.error(`on SQLite: ${missing}`);
const postgres = values.store === undefined ? missing === undefined : values.store === 'postgresql';

const end = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => end.abort(signal));
const qemu = await testQemu('x86_64');
const onStrike = (struck: number): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r${struck} of ${kills}`);
  else if (struck % 50 === 0) console.error(`${struck} of ${kills}`);
};
try {
  const result = await soak({ qemu, kills, seed, postgres, onStrike, signal: end.signal });
  if (process.stderr.isTTY) process.stderr.write('\r');
  if (values.json) console.log(JSON.stringify(result));
  else {
    const { lost, doubled, stuck, faults, ...rest } = result;
    for (const [name, value] of Object.entries(rest)) console.log(`${name}: ${JSON.stringify(value)}`);
    console.log(`lost ${lost}, doubled ${doubled}, stuck ${stuck}`);
    for (const fault of faults.slice(0, 20)) console.log(fault);
  }
  const { lost, doubled, stuck, differs } = result;
  process.exitCode = lost + doubled + stuck === 0 && differs === undefined ? 0 : 1;
} catch (error) {
  if (!end.signal.aborted) throw error;
  console.error('interrupted; every process of it has ended');
  process.exitCode = 130;
}
