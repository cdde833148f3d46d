import { afterEach, expect, test } from 'vitest';
import type { QmpClient } from '../qmp/client.ts';
import { QmpClosedError, QmpCommandError } from '../qmp/errors.ts';
import { injectMce } from '../qmp/mce.ts';
import { type Domain, writeDomain } from './calls.ts';
import { PROGRAMS } from './framing.ts';
import { domainMonitor } from './monitor.ts';
import { type Peer, peerServer } from './testing/peer.ts';
import { XdrReader, XdrWriter } from './xdr.ts';

const T1: Domain = { name: 't1', uuid: '83f1535f-99ab-4bf4-89d0-2dfd85d3e3f7', id: 3 };
const OTHER: Domain = { ...T1, name: 't2', uuid: '00000000-99ab-4bf4-89d0-2dfd85d3e3f7' };
const VERSION = { qemu: { major: 7, minor: 2, micro: 22 }, package: '' };
const CPUS = [{ 'cpu-index': 0, 'qom-path': '/cpu', 'thread-id': 1, target: 'x86_64' }];

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A libvirt whose QEMU answers so. */
async function monitor(
  answers: Record<string, object>,
  told: (peer: Peer, execute: string) => void = () => undefined,
): Promise<{ qmp: QmpClient; peer: Peer; sent: object[] }> {
  const server = await peerServer();
  cleanups.push(() => server.close());
  const connecting = domainMonitor({ path: server.path }, T1.uuid);
  const peer = await server.accept();
  const sent: object[] = [];
  peer.answers = (header, body) => {
    if (header.program !== PROGRAMS.qemu) {
      if (header.procedure !== 24) return new XdrWriter().int(1).bytes();
      const w = new XdrWriter();
      writeDomain(w, T1);
      return w.bytes();
    }
    // Behind the domain: its name of two bytes, padded, its UUID, its id.
    const r = new XdrReader(body);
    expect([r.string(100), r.opaque(16).length, r.int()]).toEqual(['t1', 16, 3]);
    const command = JSON.parse(r.string(10_000)) as { execute: string };
    sent.push(command);
    told(peer, command.execute);
    const answer = { 'query-version': { return: VERSION }, ...answers }[command.execute];
    return new XdrWriter().string(JSON.stringify({ ...answer, id: 'libvirt-7' })).bytes();
  };
  const qmp = await connecting;
  cleanups.push(() => qmp.close());
  return { qmp, peer, sent };
}

function fails(peer: Peer, domain: Domain): void {
  peer.event(423, w => {
    writeDomain(w, domain);
    w.int(1).int(1).uint(0);
  });
}

const SRAO = { cpu: 0, bank: 9, status: 0xbd00_0000_0000_00c0n, mcgStatus: 5n, addr: 0x30_0000n, misc: 0x8cn };

test('a command of QMP goes through libvirt, and its answer comes back as that of the command', async () => {
  const { qmp, sent } = await monitor({
    'query-status': { return: { running: true, status: 'running' } },
    'qom-get': { error: { class: 'DeviceNotFound', desc: 'no such object' } },
  });
  expect(qmp.greeting.version).toEqual({ major: 7, minor: 2, micro: 22 });
  const [status, wrong] = await Promise.allSettled([
    qmp.execute('query-status'),
    qmp.execute('qom-get', { path: '/machine', property: 'ras' }),
  ]);
  expect(status).toMatchObject({ value: { status: 'running' } });
  expect(wrong).toMatchObject({ reason: expect.any(QmpCommandError) as unknown });
  expect(sent.slice(1)).toEqual([
    { execute: 'query-status' },
    { execute: 'qom-get', arguments: { path: '/machine', property: 'ras' } },
  ]);
});

test("QEMU's event comes beside the answer, and is that of its own domain", async () => {
  const { qmp, peer } = await monitor({ 'query-cpus-fast': { return: CPUS }, 'human-monitor-command': { return: '' } });
  const injected = injectMce(qmp, SRAO, { lateMs: 60_000 });
  const early = await injectMce(qmp, SRAO, { lateMs: 1 }).catch((error: unknown) => error);
  expect(early).toMatchObject({ code: 'E_HMP_NO_EVENT' });
  fails(peer, OTHER);
  fails(peer, T1);
  expect(await injected).toMatchObject({ action: 'inject', events: [{ recipient: 'guest', actionRequired: false }] });
});

test('an event before the answer counts, and a refusal waits for none', async () => {
  let said = '';
  const { qmp } = await monitor(
    {
      'query-cpus-fast': { return: CPUS },
      get 'human-monitor-command'() {
        return { return: said };
      },
    },
    (peer, execute) => {
      if (execute === 'human-monitor-command' && said === '') fails(peer, T1);
    },
  );
  expect(await injectMce(qmp, SRAO, { lateMs: 60_000 })).toMatchObject({ action: 'inject' });
  said = 'Invalid MCE bank number\r\n';
  await expect(injectMce(qmp, SRAO, { lateMs: 60_000 })).rejects.toMatchObject({ code: 'E_HMP_MCE_BANK' });
});

test('libvirt that goes away ends the monitor', async () => {
  const { qmp, peer } = await monitor({});
  peer.end();
  expect(await qmp.closed).toBeInstanceOf(QmpClosedError);
});
