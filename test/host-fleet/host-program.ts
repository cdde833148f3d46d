/**
 * The program that runs in the host layer of an emulated machine: an agent of the supervisor, as its configuration says.
 * `node agent.mjs CONFIG TIME`: the configuration as JSON, and the time of its start, ms UTC: a machine that was restored believes
 * it is still when its state was kept.
 */
import { createRequire } from 'node:module';
import { Agent } from '@syndrome/supervisor/agent/agent.ts';
import { agentConfigSchema } from '@syndrome/supervisor/agent/config.ts';

/** Beside the reference VMM of the lab's image, which brings koffi. */
const BESIDE_VMM = '/syndrome/src/main.js';

function setClock(ms: number): void {
  const koffi = createRequire(BESIDE_VMM)('koffi') as {
    load(library: null): { func(declaration: string): (...args: unknown[]) => unknown };
  };
  const settimeofday = koffi.load(null).func('int settimeofday(void *tv, void *tz)');
  settimeofday(new BigInt64Array([BigInt(Math.floor(ms / 1000)), BigInt(ms % 1000) * 1000n]), null);
}

const [, , config = '', time = ''] = process.argv;
setClock(Math.round(Number(time) + performance.now()));
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
const agent = await Agent.open(agentConfigSchema.parse(JSON.parse(config)), {
  log: line => console.error(`agent: ${line}`),
});
await agent.run(stop.signal);
process.exit(0);
