import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Said, VmReport } from '../../core/said.ts';
import { processFacts } from '../proc.ts';
import type { Source } from '../source.ts';
import { Vms } from '../vms.ts';
import { Emitted } from './emitted.ts';
import { hostCounters, HostSource } from './host.ts';
import { QemuLogSource } from './qemu-log.ts';
import { VmmLogSource } from './vmm-log.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'logs-'));
  path = join(folder, 'log');
  writeFileSync(path, 'qemu-system-x86_64: an old line\n');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs a source until something is said that ends it; does something at its first sign of life. */
async function run(source: Source, last: (s: Said) => boolean, first: () => void = () => undefined): Promise<Said[]> {
  const said: Said[] = [];
  const end = new AbortController();
  let pulses = 0;
  const sink = (s: Said): void => {
    said.push(s);
    if (last(s)) end.abort();
  };
  await source.run(sink, end.signal, () => {
    if (pulses++ === 0) first();
  });
  return said;
}
const isEvent = (s: Said): boolean => s.kind === 'event';

describe('QemuLogSource', () => {
  const LINE =
    'qemu-system-x86_64: Guest MCE Memory Error at QEMU addr 0x7f1200300000 and GUEST addr 0x300000 of type BUS_MCEERR_AR injected';

  test('names the guest address, and the host page where it can be told', async () => {
    const pfnOf = (vm: string, hva: bigint): bigint | undefined => (vm === 'web' ? hva >> 12n : undefined);
    const source = new QemuLogSource('web', path, { vms: new Vms(), pollMs: 5, pfnOf });
    const said = await run(source, isEvent, () => appendFileSync(path, `what a guest writes\n${LINE}\n`));
    expect(said[0]).toMatchObject({ source: 'qemu-log', vm: 'web', state: 'reading' });
    expect(said[1]).toMatchObject({
      event: { name: 'vmm.sigbus-injected', fields: { code: 'BUS_MCEERR_AR' } },
      vm: 'web',
      gpa: 0x300000n,
      pfn: 0x7f1200300n,
      raw: LINE,
    });
    expect(said).toHaveLength(2);
  });

  test.each(['qmp', 'libvirt'] as const)('tells the events that QEMU emitted and %s did not give us', async events => {
    const emitted = new Emitted('MEMORY_FAILURE');
    const at = 1_795_914_984;
    emitted.line(at * 1e6, 11);
    emitted.received(at * 1e6 + 40, 'MEMORY_FAILURE');
    const source = new QemuLogSource('web', path, { vms: new Vms(), pollMs: 5, emitted, events });
    const said = await run(source, isEvent, () =>
      appendFileSync(path, `1@${at + 60}.000000:monitor_protocol_event_emit event=11 data=0x1\n`),
    );
    expect(said.slice(1)).toEqual([
      { kind: 'source', source: events, vm: 'web', state: 'back', gapMs: 0, lostEvents: 1 },
      {
        kind: 'event',
        source: 'qemu-log',
        vm: 'web',
        event: { name: 'vmm.memory-failure', fields: {} },
        when: (at + 60) * 1000,
      },
    ]);
  });
});

describe('VmmLogSource', () => {
  test('tells of the VM from its first line on, with its process, its errors and its end', async () => {
    const lines = [
      {
        v: 1,
        seq: 0,
        t_ns: 1,
        time: '2026-11-29T14:00:00.250Z',
        event: 'started',
        pid: process.pid,
        vcpus: 1,
        memory: { gpa: '0x0000000040000000', bytes: '0x0000000018000000', hva: '0x0000ffff40000000' },
        ms: 3,
      },
      {
        v: 1,
        seq: 1,
        t_ns: 2,
        event: 'quarantined',
        gpa: '0x0000000040200000',
        hpa: '0x0000000012345000',
        bytes: '0x1000',
        by: 'sea',
        slots: 3,
      },
      { v: 1, seq: 2, t_ns: 3, event: 'stopped', reason: 'guest shut down', errors: 1, pages: 1 },
    ];
    writeFileSync(path, lines.map(l => `${JSON.stringify(l)}\n`).join(''));
    const vms = new Vms();
    const source = new VmmLogSource('arm', path, { vms, epochOf: () => 3, facts: { optedIn: true }, pollMs: 5 });
    const said = await run(source, s => s.kind === 'vm' && s.state === 'shut-off');
    expect(said.map(s => (s.kind === 'event' ? s.event.name : s.kind === 'vm' ? s.state : s.kind))).toEqual([
      'source',
      'vmm.started',
      'running',
      'vmm.quarantined',
      'vmm.stopped',
      'shut-off',
    ]);
    expect(said[1]).toMatchObject({ when: Date.parse('2026-11-29T14:00:00.250Z') });
    expect(said[2]).toMatchObject({ vm: 'arm', vmm: 'reference', pid: process.pid, epoch: 3, optedIn: true });
    expect(said[2]).toMatchObject({ memoryBytes: 384 << 20 });
    const { definition = '' } = said[2] as VmReport;
    expect(JSON.parse(definition)).toEqual({
      schema: 1,
      vmm: 'reference',
      argv: processFacts(process.pid)?.argv,
      cwd: process.cwd(),
    });
    expect(said[3]).toMatchObject({ gpa: 0x40200000n, pfn: 0x12345n });
    expect(vms.find('arm')?.ram).toEqual([{ gpa: 0x4000_0000n, hva: 0xffff_4000_0000n, bytes: 384n << 20n }]);
    expect(vms.find('arm')?.copy?.startTicks).toBe(processFacts(process.pid)?.startTicks);
  });
});

describe('HostSource', () => {
  const put = (name: string, text: string): void => {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  };

  test('reads the counters that there are', () => {
    put('sys/devices/system/node/node0/memory_failure/total', '2\n');
    put('sys/devices/system/node/node0/memory_failure/recovered', '1\n');
    put('sys/devices/system/edac/mc/mc0/ce_count', '17\n');
    put('sys/devices/system/edac/mc/mc0/dimm3/dimm_ce_count', '16\n');
    put('sys/devices/system/edac/mc/mc0/dimm3/dimm_label', 'CPU_SrcID#0\n');
    put('proc/meminfo', 'MemTotal: 1 kB\nHardwareCorrupted:     8 kB\n');
    expect(hostCounters(join(folder, 'sys'), join(folder, 'proc'))).toEqual({
      'node0.memory_failure.total': 2,
      'node0.memory_failure.recovered': 1,
      'mc0.ce_count': 17,
      HardwareCorrupted: 8192,
    });
    expect(hostCounters(join(folder, 'none'), join(folder, 'none'))).toEqual({});
  });

  test('tells at once, and again when a counter changed', async () => {
    put('proc/meminfo', 'HardwareCorrupted: 0 kB\n');
    put('proc/sys/kernel/random/boot_id', 'b\n');
    const options = { sys: join(folder, 'sys'), proc: join(folder, 'proc'), pollMs: 2, storage: ['/srv'] };
    let reports = 0;
    const said = await run(
      new HostSource(options),
      s => s.kind === 'host' && ++reports === 2,
      () => put('proc/meminfo', 'HardwareCorrupted: 4 kB\n'),
    );
    const hosts = said.filter(s => s.kind === 'host');
    expect(hosts.map(h => h.counters)).toEqual([{ HardwareCorrupted: 0 }, { HardwareCorrupted: 4096 }]);
    expect(hosts[0]).toMatchObject({ boot: 'b', storage: ['/srv'], memoryBytes: expect.any(Number) });
  });
});
