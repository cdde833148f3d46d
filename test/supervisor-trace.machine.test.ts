/**
 * The kernel's `memory_failure_event` where Linux 7.0 has it, `events/memory_failure`, read by an agent in that very kernel. In all other
 * Linux that the tests run it is in `events/ras`: see supervisor-amd-host.machine.test.ts.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { SyndromeError } from '@syndrome/decode/common/errors.ts';
import { machineSchema } from '@syndrome/lab/machines/registry.ts';
import { type Assembly, assemble } from '@syndrome/lab/parts.ts';
import type { Session } from '@syndrome/lab/session.ts';
import { Supply } from '@syndrome/lab/supply/supply.ts';
import { skipWithout } from '@syndrome/lab/supply/testing/required.ts';
import { readRow } from '@syndrome/supervisor/agent/spool/line.ts';
import { parseRow } from '@syndrome/supervisor/wire/row.ts';
import { agentProgram, NODE, startHost } from './host-fleet/hosts.ts';
import { imageWithNode } from './host-fleet/node-image.ts';

const KERNEL = '7.0.13';
const PROGRAM = 'agent.mjs';
/** Where an agent without a controller keeps what it has seen: a check sum and a row, a line each. */
const SPOOL = '/run/agent/spool/seg-0000000001.log';
const CONFIG = { host: 'g', folder: '/run/agent', controller: '/run/nobody.sock', kmsg: false, trace: true };
const PATIENCE = 120_000;

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function machine(supply: Supply): Promise<Assembly> {
  const spec = machineSchema.parse({ kind: 'linux-guest', kernel: KERNEL, memory: 768 });
  const assembly = await assemble(spec, { accel: 'tcg' }, { supply });
  const own = { [PROGRAM]: await agentProgram() };
  const initrd = await imageWithNode(supply, 'amd64', assembly.files.initrd, own);
  return { ...assembly, files: { ...assembly.files, initrd } };
}

/** What the agent's spool says, once it says it. */
async function spooled(session: Session, wanted: (body: string) => boolean): Promise<string> {
  const last = performance.now() + PATIENCE;
  for (;;) {
    const text = await session.agent.readText(SPOOL, { max: 1 << 20 }).catch(() => '');
    const row = text
      .split('\n')
      .map(readRow)
      .find(r => r !== undefined && wanted(r.body));
    if (row !== undefined) return row.body;
    if (performance.now() > last) throw new Error(`waited in vain; the spool holds:\n${text}`);
    await sleep(200);
  }
}

test('events/memory_failure of Linux 7.0 is found, and read in the words of its format', async context => {
  const supply = await Supply.open();
  const parts = await machine(supply).catch((error: unknown) => {
    if (error instanceof SyndromeError) return error;
    throw error;
  });
  skipWithout(context, 'mirror', parts instanceof Error ? parts.message : undefined);
  if (parts instanceof Error) return;
  const folder = mkdtempSync(join(tmpdir(), 'st-'));
  ends.push(() => rmSync(folder, { recursive: true, force: true }));
  const session = await startHost(parts, join(folder, 'trace.ndjson'), AbortSignal.timeout(500_000), {
    cacheDir: supply.cacheDir,
    hostOnly: false,
  });
  ends.push(() => session.stop());
  const { agent } = session;
  const format = (place: string): Promise<string> =>
    agent.readText(`/sys/kernel/tracing/events/${place}/memory_failure_event/format`, { max: 1 << 16 });
  await expect(format('ras')).rejects.toMatchObject({ errno: 'ENOENT' });
  expect(await format('memory_failure')).toContain('memory_failure_event');

  const argv = [NODE, `/${PROGRAM}`, JSON.stringify(CONFIG), String(Date.now())];
  await agent.call('exec', { name: 'agent', argv: argv.join('\n'), output: '/run/agent.log' });
  await spooled(session, body => body.includes('"source":"tracefs","state":"reading"'));
  await agent.call('spawn', { name: 'victim' });
  await agent.call('on-signal', { proc: 'victim', action: 'report' });
  const { pfn } = await agent.call('map', { proc: 'victim', id: 'page' });
  await agent.call('poison', { proc: 'victim', id: 'page' });
  const body = await spooled(session, said => said.includes('host.memory-failure'));
  const { said } = parseRow(`{"seq":1,"at":0,"said":${body}}`, 'g', 's');
  expect(said).toMatchObject({
    source: 'tracefs',
    event: { name: 'host.memory-failure', fields: { pfn, page: 'dirty LRU page', result: 'Recovered' } },
    raw: expect.stringContaining('memory_failure_event: pfn 0x'),
  });
});
