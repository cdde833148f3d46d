/**
 * Golden files: `golden/<name>.in` is a log, `<name>.golden` what its records come to. The words of headlines and next steps are
 * not held here: they are those of the records.
 * `UPDATE_GOLDEN=1` rewrites them.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from '../common/hex.ts';
import { createDecoder } from '../decode/decoder.ts';
import { recordOf } from '../decode/transfer.ts';
import { COLUMNS } from '../decode/wrap.ts';
import { DistinctCounter, hashOf } from './distinct.ts';
import { TopCounter } from './top.ts';
import { Triage } from './triage.ts';
import type { TriageReport } from './triage.ts';
import { triageGroups, triageHead } from './triage-text.ts';

const DIR = join(import.meta.dirname, 'golden');

function triage(bytes: Uint8Array, size = Math.max(1, bytes.length)): TriageReport {
  const sums = new Triage();
  const decoder = createDecoder({ input: 'log', onRecord: r => sums.add(r) });
  for (let at = 0; at < bytes.length; at += size) decoder.push(bytes.subarray(at, at + size));
  decoder.end();
  return sums.report();
}

const of = (text: string): TriageReport => triage(new TextEncoder().encode(text));

const inputs = readdirSync(DIR)
  .filter(f => f.endsWith('.in'))
  .map(f => f.slice(0, -'.in'.length));

const WORDS: ReadonlySet<string> = new Set(['headline', 'nextSteps', 'what']);

function withoutWords(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutWords);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) => (WORDS.has(name) ? [] : [[name, withoutWords(member)]])),
  );
}

describe('golden logs', () => {
  it.each(inputs)('%s', name => {
    const bytes = readFileSync(join(DIR, `${name}.in`));
    const report = triage(bytes);
    const lines = [...triageHead(report), '', ...triageGroups(report)];
    const text = `${stringify(withoutWords(report), 1)}\n`;
    const golden = join(DIR, `${name}.golden`);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, text);
    expect(text).toBe(readFileSync(golden, 'utf8'));
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(COLUMNS);
    for (const size of [1, 7, 1000]) expect(triage(bytes, size)).toEqual(report);
  });

  it('955 errors in 5 lines, 719 of them of one DIMM', () => {
    const { bySeverity, parts } = triage(readFileSync(join(DIR, 'edac-burst.in')));
    expect(bySeverity).toEqual({ corrected: { incidents: 5, errors: 955 } });
    expect(parts.map(p => [p.name, p.bySeverity.corrected?.errors])).toEqual([
      ['CPU_SrcID#1_Ha#0_Chan#1_DIMM#1', 719],
      ['CPU_SrcID#1_Ha#0_Chan#0_DIMM#1', 236],
    ]);
  });

  it('three errors of one column', () => {
    const [part] = triage(readFileSync(join(DIR, 'ras-mc-ctl-errors.in'))).parts;
    expect(part?.pattern).toEqual({ is: 'one column', incidents: 3 });
    expect([part?.first?.text, part?.last?.text]).toEqual(['2022-10-16T06:55:24Z', '2022-10-16T06:56:49Z']);
  });

  it('counts of banks, and their yellow status', () => {
    const { bySeverity, parts } = triage(readFileSync(join(DIR, 'cache-yellow.in')));
    expect(bySeverity.corrected).toEqual({ incidents: 2, errors: 26_535 });
    expect(parts.map(p => p.threshold)).toEqual(['yellow', 'yellow']);
  });

  it('one error with five witnesses, and the part under both of its names', () => {
    const { incidents, worst, parts } = triage(readFileSync(join(DIR, 'five-witnesses.in')));
    expect(incidents).toBe(1);
    expect(worst?.witnesses.map(w => w.reporter)).toEqual(['firmware', 'kernel', 'machine-check', 'driver', 'kernel']);
    expect(worst).toMatchObject({ joinedBy: 'address and time', part: 'NODE 3 CPU0_DIMM_G1', address: 0x7e025e400n });
    expect(parts).toHaveLength(1);
    expect(parts[0]?.aliases).toEqual(['CPU_SrcID#0_MC#3_Chan#0_DIMM#0']);
  });

  it('bad data that is found, and then used: the line of a driver within the report of the bank ties both together', () => {
    const { bySeverity, worst, remarks, parts } = triage(readFileSync(join(DIR, 'deferred-consumed.in')));
    expect(bySeverity).toEqual({ uncorrected: { incidents: 1, errors: 1 } });
    expect(worst?.witnesses.map(w => [w.reporter, w.joinedBy])).toEqual([
      ['machine-check', undefined],
      ['driver', 'report'],
      ['machine-check', 'address and time'],
      ['kernel', 'address and time'],
      ['kernel', 'address and time'],
      ['kernel', 'report'],
    ]);
    expect(worst?.fate).toEqual(['page still in use', 'SIGBUS to a process']);
    expect(worst?.because).toEqual(['page-in-use', 'source-known', 'signalled', 'replace-memory']);
    expect(parts.map(p => p.name)).toEqual(['mc#0csrow#0channel#0']);
    expect(remarks).toEqual([]);
  });

  it('whoever made the bad data is not looked for where its record is there', () => {
    const { worst } = triage(readFileSync(join(DIR, 'deferred-consumed.in')));
    expect(worst?.nextSteps.join(' ')).not.toContain('look for an earlier deferred record');
    // The same without the record of the memory.
    const { worst: alone } = triage(readFileSync(join(DIR, 'panic.in')));
    expect(alone?.nextSteps.join(' ')).toContain('look for a memory controller record');
  });

  it('the address of a memory channel that Linux took for one of the system: another page was taken away', () => {
    const { bySeverity, worst, pagesAgain } = triage(readFileSync(join(DIR, 'other-page.in')));
    expect(bySeverity).toEqual({ deferred: { incidents: 1, errors: 1 } });
    expect(worst).toMatchObject({ because: ['other-page', 'replace-memory'], fate: ['another page handled'] });
    expect(worst).not.toHaveProperty('address');
    expect(pagesAgain).toEqual([]);
  });

  it('and the page that it should have taken, where the driver knows it', () => {
    const { bySeverity, worst } = triage(readFileSync(join(DIR, 'page-by-driver.in')));
    expect(bySeverity).toEqual({ deferred: { incidents: 1, errors: 1 } });
    expect(worst).toMatchObject({ address: 0x1ab10c09c0n, part: 'mc#0csrow#0channel#1' });
    expect(worst?.actions).toEqual([
      expect.stringContaining('take that of 0x0000001ab10c09c0 out of use'),
      'replace mc#0csrow#0channel#1',
    ]);
    expect(worst?.nextSteps.join(' ')).not.toMatch(/channel's own/);
  });

  it('a page that the log shows recovered, in a guest and by QEMU', () => {
    const { incidents, worst } = triage(readFileSync(join(DIR, 'guest-recovered.in')));
    expect(incidents).toBe(1);
    expect(worst?.fate).toEqual(['page taken away', 'SIGBUS to mce_process_rea:1227', 'handed on to a guest']);
    expect(worst?.nextSteps.join(' ')).not.toMatch(/Do not trust|Take the page/);
  });

  it('a panic below takes back what may go on', () => {
    const { worst, bySeverity } = triage(readFileSync(join(DIR, 'panic.in')));
    expect(bySeverity).toEqual({ fatal: { incidents: 1, errors: 1 } });
    expect(worst).toMatchObject({ fate: ['machine panicked'], because: ['machine-down'] });
    expect(worst?.nextSteps.join(' ')).toMatch(/^The cache only noticed/);
  });

  it('what an earlier boot left behind needs no reset', () => {
    const { worst } = triage(readFileSync(join(DIR, 'earlier-boot.in')));
    expect(worst).toMatchObject({ severity: 'fatal', ofEarlierBoot: true, because: ['earlier-boot'] });
    expect(worst?.nextSteps.join(' ')).not.toMatch(/must be reset/);
  });

  it('what stands behind the reason of a reset was found, and is what ended the boot before', () => {
    const { worst } = triage(readFileSync(join(DIR, 'reset-reason.in')));
    expect(worst).toMatchObject({ severity: 'fatal', ofEarlierBoot: true, because: ['earlier-boot'] });
    expect(worst?.actions).toEqual([
      'no reset for it: it is of the boot before this one, which ended so: an uncorrected error caused a data fabric sync flood event',
    ]);
  });

  it('a machine stops once, whatever is found in the banks of its cores', () => {
    const { bySeverity, worst } = triage(readFileSync(join(DIR, 'one-stop.in')));
    expect(bySeverity).toEqual({ fatal: { incidents: 1, errors: 1 } });
    expect(worst?.witnesses.map(w => w.joinedBy)).toEqual([undefined, 'one stop']);
    expect(worst?.nextSteps.join(' ')).toMatch(/points at the processor/);
  });

  it('two threads of a core report one error, and a controller wrote it down: no reset now', () => {
    const { bySeverity, worst, parts } = triage(readFileSync(join(DIR, 'iml-threads.in')));
    expect(bySeverity).toEqual({ fatal: { incidents: 2, errors: 2 } });
    expect(worst?.witnesses.map(w => w.joinedBy)).toEqual([undefined, 'bank and time']);
    expect(worst).toMatchObject({ because: ['of-controller', 'repeats'], part: 'processor 1' });
    expect(worst?.nextSteps.join(' ')).not.toMatch(/must be reset/);
    // Twice in 44 days is no rate.
    expect(parts[0]).not.toHaveProperty('perHour');
  });

  it('what syslogd wrote to every terminal is no error more', () => {
    const { bySeverity, worst } = triage(readFileSync(join(DIR, 'syslogd.in')));
    expect(bySeverity).toEqual({ 'uncorrected-recoverable': { incidents: 1, errors: 1 } });
    const { witnesses = [] } = worst ?? {};
    expect(witnesses.filter(w => w.reporter !== 'kernel').map(w => w.joinedBy)).toEqual([undefined, 'copy']);
    expect(worst?.fate).toEqual(['kernel oops']);
  });

  it('the crash that ESXi names is what came of its bank', () => {
    const { bySeverity, worst } = triage(readFileSync(join(DIR, 'esxi-stopped.in')));
    expect(bySeverity).toEqual({ fatal: { incidents: 1, errors: 1 } });
    expect(worst).toMatchObject({ fate: ['machine stopped'], part: 'PCIe root port 0000:10:02.0' });
  });

  it('the module that ONTAP names in its panic is that of the bank', () => {
    const line =
      'PANIC: Uncorrectable Machine Check Error at CPU14. ECC error at DIMM-13: CE-01-1941-03A203B8,ADDR 0x15f09e1f40,(Node(1), CH(1), Row(0x15e0f)) SKL_IMC0 Error: STATUS<0xfe0000c001010091>(VALID,MCACOD(0x91))MISC<0x200400c00fc02086>(ADDRLSB(0x6))ADDR<0x00000015f09e1f40>';
    const { bySeverity, worst } = of(`${line}\n`);
    expect(bySeverity).toEqual({ fatal: { incidents: 1, errors: 1 } });
    expect(worst).toMatchObject({ fate: ['machine stopped'], part: 'DIMM-13' });
    expect(worst?.actions).toContain('replace DIMM-13 before the machine serves again');
  });

  it('an arm64 kernel that met the error itself has lost a task', () => {
    const lines = [
      '[  676.700652] Synchronous External Abort: synchronous external abort (0x96000410) at 0x0000000033ff7008',
      '[  676.723301] Internal error: : 96000410 [#1] PREEMPT SMP',
      '[  676.724601] CPU: 0 PID: 1506 Comm: mca-recover Tainted: G           O    4.14.0',
    ];
    const { worst } = of(`${lines.join('\n')}\n`);
    expect(worst?.fate).toEqual(['kernel oops, mca-recover:1506 ended']);
    expect(worst?.actions[0]).toMatch(/^restart the machine soon/);
  });

  it('an accelerator is reset, and replaced only where it cannot heal itself', () => {
    const xid = (code: number, at: number): string => `[   ${at}.000001] NVRM: Xid (PCI:0000:9b:00): ${code}, pid=1\n`;
    const { worst, parts } = of(Array.from({ length: 12 }, (_, i) => xid(94, 10 + i)).join(''));
    expect(parts.map(p => [p.name, p.bySeverity])).toEqual([
      ['GPU 0000:9b:00', { 'uncorrected-recoverable': { incidents: 12, errors: 12 } }],
    ]);
    expect(worst?.nextSteps.join(' ')).toMatch(/Restart the process/);
    expect(worst?.nextSteps.join(' ')).not.toMatch(/replace/i);
    expect(of(xid(64, 10)).worst?.nextSteps.join(' ')).toMatch(/replace it/);
  });

  it('what a log says of the recovery of a PCIe device is not asked', () => {
    const { worst } = triage(readFileSync(join(DIR, 'aer-recovery.in')));
    expect(worst).toMatchObject({
      because: ['device-not-recovered'],
      fate: ['device not recovered (thunderbolt 0000:84:00.0, xhci_hcd 0000:97:00.0)'],
      nextSteps: [],
    });
  });

  it('lines that only say that something was logged: how many, when, and where it is', () => {
    const { pointers, worst, incidents } = triage(readFileSync(join(DIR, 'only-pointers.in')));
    expect([incidents, worst]).toEqual([0, undefined]);
    expect(pointers).toMatchObject([{ class: 'mce-logged', lines: 2, recordsBeside: 0 }]);
    expect(pointers[0]?.where).toMatch(/ras-mc-ctl --errors/);
  });

  it('a count that a bank and a driver both name is one count', () => {
    const { bySeverity, remarks } = triage(readFileSync(join(DIR, 'soft-offline-failed.in')));
    expect(bySeverity.corrected).toEqual({ incidents: 2, errors: 21 });
    // The firmware's record has no address.
    expect(remarks.join(' ')).toMatch(/1 report names no physical address/);
  });
});

const edac = (dimm: number, page: number, count: number, seconds: number): string =>
  `[${seconds.toFixed(6)}] EDAC MC0: ${count} CE memory read error on CPU_SrcID#0_MC#0_Chan#0_DIMM#${dimm} (channel:0 slot:${dimm} page:0x${page.toString(16)} offset:0x40 grain:32 syndrome:0x0 -  err_code:0x0101:0x0090 socket:0 imc:0 rank:0 bg:1 ba:2 row:0x${(page & 0xff).toString(16)} col:0x10)\n`;

describe('what is one error', () => {
  it('not two lines of one driver, nor another address of the page, nor another time', () => {
    expect(of(edac(0, 5, 1, 1) + edac(0, 5, 1, 1)).incidents).toBe(2);
    const ghes = (address: string, seconds: number): string =>
      [
        'event severity: corrected',
        'Error 0, type: corrected',
        '  section_type: memory error',
        `  physical_address: ${address}`,
      ]
        .map(line => `[${seconds.toFixed(6)}] {1}[Hardware Error]: ${line}\n`)
        .join('');
    expect(of(ghes('0x0000000000005040', 1) + edac(0, 5, 1, 2)).incidents).toBe(1);
    expect(of(ghes('0x0000000000005080', 1) + edac(0, 5, 1, 2)).incidents).toBe(2);
    expect(of(ghes('0x0000000000005040', 1) + edac(0, 5, 1, 60)).incidents).toBe(2);
  });

  it('not a corrected and an uncorrected one of the same page', () => {
    const ue = edac(0, 5, 1, 1).replace(' CE ', ' UE ');
    expect(of(edac(0, 5, 1, 1) + ue).bySeverity).toEqual({
      uncorrected: { incidents: 1, errors: 1 },
      corrected: { incidents: 1, errors: 1 },
    });
  });

  it('not a corrected event of a CXL device and an uncorrected machine check of the same page', () => {
    const cxl = (descriptor: string): string =>
      `[    1.000000] cxl_general_media: memdev=mem1 host=0000:0e:00.0 serial=5 log=Warning : time=1 uuid=fbcd0a77-c260-417f-85a9-088b1621eba6 len=128 flags='0x1' handle=0 related_handle=0 maint_op_class=0 : dpa=7c0 dpa_flags='0x10' descriptor='${descriptor}' type='0x3' transaction_type='0xc0' channel=3 rank=33 device=5 hpa=5040\n`;
    const check = [
      'CPU 0: Machine Check: 0 Bank 9: bd80000000000134',
      'TSC 2f40aa78e ADDR 5040 MISC 8c ',
      'PROCESSOR 0:50654 TIME 1795167593 SOCKET 0 APIC 0 microcode 1',
    ]
      .map(line => `[    1.000100] mce: [Hardware Error]: ${line}\n`)
      .join('');
    expect(of(cxl('THRESHOLD_EVENT') + check).bySeverity).toEqual({
      'uncorrected-recoverable': { incidents: 1, errors: 1 },
      corrected: { incidents: 1, errors: 1 },
    });
    const { incidents, worst } = of(cxl('UNCORRECTABLE_EVENT') + check);
    expect(incidents).toBe(1);
    expect(worst?.witnesses.map(w => w.reporter)).toEqual(['device', 'machine-check']);
  });

  it('what a controller or a device logs without a page is an error, not what came of one', () => {
    const lines = [
      '  1f | 03/11/2020 | 02:11:09 | Memory #0x10 | Uncorrectable ECC | Asserted',
      '[    1.000000] aer_event: 0000:01:00.0 PCIe Bus Error: severity=Corrected, Bad TLP, TLP Header=Not available',
    ];
    const { bySeverity, remarks } = of(`${lines.join('\n')}\n`);
    expect(bySeverity).toEqual({
      uncorrected: { incidents: 1, errors: 1 },
      corrected: { incidents: 1, errors: 1 },
    });
    expect(remarks.join(' ')).not.toContain('came of an error');
  });

  it('a page that is met again is on top', () => {
    const { pagesAgain } = of([1, 2, 1, 3, 1, 2].map((page, i) => edac(0, page, 1, i * 60)).join(''));
    expect(pagesAgain).toEqual([
      { pfn: 1n, incidents: 3 },
      { pfn: 2n, incidents: 2 },
    ]);
  });
});

const BANK = [
  'CPU 18: Machine Check Exception: 5 Bank 7: be00000001010091',
  'TSC ae4b410af0b8 ADDR 314d193000 MISC 200400c008002086',
  'PROCESSOR 0:50657 TIME 1605843017 SOCKET 1 APIC 40 microcode 5000021',
];
const mce = (seconds: number, lines: readonly string[] = BANK): string =>
  lines.map(line => `[${seconds.toFixed(6)}] mce: [Hardware Error]: ${line}\n`).join('');
const WHY = 'mce: [Hardware Error]: Machine check: Processor context corrupt';
const PANIC = 'Kernel panic - not syncing: Fatal machine check';
const at = (seconds: number, line: string): string => `[${seconds.toFixed(6)}] ${line}\n`;
const witnesses = (text: string): (string | undefined)[][] =>
  of(text).worst?.witnesses.map(w => [w.class, w.joinedBy]) ?? [];

describe('one panic', () => {
  const core = [
    'CPU 3: Machine Check Exception: 4 Bank 5: be00000000800400',
    'TSC ae4b410af0b0 ADDR ffffffff81060ba9 MISC ffff',
  ];
  const banks = mce(1, [...core, BANK[2] as string]) + mce(1.001);

  it('is one error with all the banks that it prints', () => {
    const { bySeverity, worst } = of(banks + at(1.1, WHY) + at(1.2, PANIC));
    expect(bySeverity).toEqual({ fatal: { incidents: 1, errors: 1 } });
    expect(worst?.witnesses.map(w => [w.class, w.joinedBy])).toEqual([
      ['PCC', 'report'],
      ['PCC', undefined],
      ['mce-severity', 'report'],
      ['panic', 'report'],
    ]);
    expect(worst?.fate).toEqual(['machine panicked']);
  });

  it('is that of the banks right before it alone, and of one page', () => {
    expect(of(banks).incidents).toBe(2);
    expect(of(mce(1, [...core, BANK[2] as string]) + mce(60) + at(60.2, PANIC)).incidents).toBe(2);
  });

  it('is for all that the exception found, also where the pages are two', () => {
    const other = BANK.map(line => line.replace('314d193000', '414d193000'));
    const { bySeverity, groups, causes, worst } = of(
      mce(1) +
        mce(
          1.001,
          other.map(line => line.replace('Bank 7', 'Bank 8')),
        ) +
        at(1.2, PANIC),
    );
    expect(bySeverity).toEqual({ fatal: { incidents: 2, errors: 2 } });
    expect(groups.length).toBeGreaterThan(0);
    for (const { fate } of [...causes, ...(worst === undefined ? [] : [worst])])
      expect(fate).toEqual(['machine panicked']);
  });

  it('that a bank still tells of at the next start is one error', () => {
    const found = mce(
      0.06,
      core.map(line => line.replace(' Exception: 4', ': 0').replace(/TSC \w+/, 'TSC 0')).concat(BANK[2] as string),
    );
    expect(of(mce(900, [...core, BANK[2] as string]) + at(900.2, PANIC) + found).bySeverity).toEqual({
      fatal: { incidents: 1, errors: 1 },
    });
  });
});

describe('what a log shows of a machine after what is fatal', () => {
  const logged = 'mce: [Hardware Error]: Machine check events logged';
  const dated = (time: string, lines: readonly string[], host = 'db1'): string =>
    lines.map(line => `Nov  3 ${time} ${host} kernel: ${line}\n`).join('');
  const stamped = (seconds: number, lines: readonly string[]): string[] =>
    lines.map(line => `[${seconds.toFixed(6)}] ${line}`);
  const BANK_LINES = BANK.map(line => `mce: [Hardware Error]: ${line}`);
  const steps = (log: string): string => of(log).worst?.nextSteps.join(' ') ?? '';
  const first = (log: string): string[] => of(log).worst?.because.slice(0, 1) ?? [];
  const RESET = /must be reset/;

  it('the same kernel went on: that is no reset', () => {
    expect(steps(mce(1))).toMatch(RESET);
    const log = mce(1) + at(400, logged);
    expect(steps(log)).toMatch(RESET);
    expect(of(log).worst).toMatchObject({ because: ['went-on', 'replace-memory'] });
    expect(of(log).worst?.actions[0]).toContain('the same kernel went on for 7 min');
    // As long as a machine takes to stop it proves nothing.
    expect(first(mce(1) + at(60, logged))).toEqual(['replace-memory']);
  });

  it('its clock began anew: it was reset', () => {
    const { worst } = of(mce(500) + at(0.5, logged));
    expect(worst?.actions[0]).toContain('no reset for it now: the machine started again after it');
    expect(worst?.nextSteps.join(' ')).not.toMatch(RESET);
    const log = dated('12:00:00', stamped(500, BANK_LINES)) + dated('12:05:00', stamped(9, [logged]));
    expect(first(log)).toEqual(['started-again']);
  });

  it('what another machine prints later says nothing of it', () => {
    const of = (host: string): string => dated('12:00:00', BANK_LINES) + dated('12:30:00', [logged], host);
    expect(first(of('db1'))).toEqual(['started-again']);
    expect(first(of('db2'))).toEqual(['replace-memory']);
    expect(steps(of('db2'))).toMatch(RESET);
    const stamps = dated('12:00:00', stamped(500, BANK_LINES)) + dated('12:00:01', stamped(9, [logged]), 'db2');
    expect(first(stamps)).toEqual(['replace-memory']);
    // Before a machine has read its name it has none.
    expect(first(dated('12:00:00', BANK_LINES) + dated('12:30:00', [logged], 'localhost'))).toEqual(['started-again']);
  });

  it('what was printed before and stands behind says nothing either', () => {
    const log = dated('12:00:00', stamped(500, BANK_LINES)) + dated('11:51:49', stamped(9, [logged]));
    expect(first(log)).toEqual(['replace-memory']);
    // A buffer that is printed whole has what stood before, and the record itself again.
    const buffer = at(9, logged) + mce(500);
    expect(first(mce(500) + buffer)).toEqual(['replace-memory']);
    expect(first(mce(500) + buffer + edac(0, 5, 1, 30))).toEqual(['started-again']);
  });

  it('a date alone says that it runs; whether it was reset only where Linux stops for the record', () => {
    const decoded = [
      '[Hardware Error]: System Fatal error.',
      '[Hardware Error]: CPU:21 (19:21:0) MC5_STATUS[-|UE|MiscV|AddrV|PCC|TCC|SyndV|-|-|-]: 0xbea0000000000108',
      '[Hardware Error]: Error Addr: 0x0001ffffc080cb3a',
      '[Hardware Error]: IPID: 0x000500b000000000, Syndrome: 0x000000004d000000',
    ];
    const log = dated('12:00:00', decoded) + dated('12:30:00', [logged]);
    expect(first(log)).toEqual(['log-goes-on']);
    expect(of(log).worst?.actions[0]).toContain('reset the machine if nobody did: its log goes on 30 min after it');
    // The date went on by a day, and the clock of the kernel by minutes: it is another start.
    const next = dated('12:00:00', stamped(500, BANK_LINES)).replaceAll('Nov  3', 'Nov  2');
    expect(first(next + dated('12:00:00', stamped(900, [logged])))).toEqual(['started-again']);
  });
});

describe('a log of several machines', () => {
  const dated = (host: string, line: string): string => `Nov  3 12:00:00 ${host} kernel: ${line}`;
  const of2 = (host: string, log: string): string => log.replaceAll(/^\[[ \d.]+\] (?=.)/gm, dated(host, ''));
  const failed = 'Memory failure: 0x5: recovery action for dirty LRU page: Failed';
  const ue = edac(0, 5, 1, 1).replace(' CE ', ' UE ');

  it('has errors of each at the same page, and pages that are met again on one alone', () => {
    const [a, b] = [of2('db1', ue), of2('db2', ue)];
    expect(of(a + b).incidents).toBe(2);
    expect(of(a + b).pagesAgain).toEqual([]);
    expect(of(a + of2('db2', at(1, failed))).bySeverity).toEqual({ uncorrected: { incidents: 2, errors: 2 } });
    expect(of(a + of2('db1', at(1, failed))).incidents).toBe(1);
  });

  it('has banks that are none of another, and a reason of a reset for one alone', () => {
    const bank = (host: string): string =>
      of2(
        host,
        mce(1, [
          `CPU ${host === 'db1' ? 2 : 3}: Machine Check: 0 Bank 4: b200000000100405`,
          'TSC ae4b410af0b8 ',
          'PROCESSOR 0:50657 TIME 1605843017 SOCKET 0 APIC 4 microcode 5000021',
        ]),
      );
    expect(of(bank('db1') + bank('db1').replace('CPU 2', 'CPU 3').replace('APIC 4', 'APIC 5')).incidents).toBe(1);
    expect(of(bank('db1') + bank('db2').replace('APIC 4', 'APIC 5')).incidents).toBe(2);
    const why =
      'x86/amd: Previous system reset reason [0x08000800]: an uncorrected error caused a data fabric sync flood event';
    const found = [
      '[Hardware Error]: System Fatal error.',
      '[Hardware Error]: CPU:21 (19:21:0) MC5_STATUS[-|UE|MiscV|AddrV|PCC|TCC|SyndV|-|-|-]: 0xbea0000000000108',
      '[Hardware Error]: Error Addr: 0x0001ffffc080cb3a',
      '[Hardware Error]: IPID: 0x000500b000000000, Syndrome: 0x000000004d000000',
    ];
    const left = (host: string): boolean | undefined =>
      of([dated('db1', why), ...found.map(line => dated(host, line)), ''].join('\n')).worst?.ofEarlierBoot;
    expect([left('db1'), left('db2')]).toEqual([true, undefined]);
  });
});

describe('more than one cause', () => {
  const sel = [
    '1 | 11/30/2026 | 01:00:03 | Memory CPU1_DIMM_A1 | Uncorrectable ECC | Asserted',
    '2 | 11/30/2026 | 01:00:04 | Memory CPU2_DIMM_B1 | Uncorrectable ECC | Asserted',
    '3 | 11/30/2026 | 01:00:05 | Memory CPU2_DIMM_B1 | Uncorrectable ECC | Asserted',
    '4 | 11/30/2026 | 01:02:03 | Processor CPU1 | IERR | Asserted',
  ];

  it('has a step for each part and each kind without one', () => {
    const report = of(`${sel.join('\n')}\n`);
    expect(report.worst?.severity).toBe('fatal');
    expect(report.causes.map(c => [c.part, c.errors, c.actions])).toEqual([
      ['CPU1_DIMM_A1', 1, ['replace CPU1_DIMM_A1']],
      ['CPU2_DIMM_B1', 2, ['replace CPU2_DIMM_B1']],
    ]);
    const head = triageHead(report).join('\n');
    expect(head).toContain('also: 2 uncorrected, CPU2_DIMM_B1 (line 2) → replace CPU2_DIMM_B1');
  });

  it('has none for few corrected errors, and one where they are many', () => {
    const ue = edac(0, 5, 1, 1).replace(' CE ', ' UE ');
    expect(of(ue + edac(1, 6, 3, 2)).causes).toEqual([]);
    expect(of(ue + edac(1, 6, 300, 2)).causes.map(c => c.because)).toEqual([['many-corrected']]);
    // Of the part of the worst nothing is said twice.
    expect(of(ue + edac(0, 6, 300, 2)).causes).toEqual([]);
  });
});

describe('a rate', () => {
  it('is given of an hour and more; of less the window is', () => {
    const rate = (seconds: number): [number | undefined, number | undefined] => {
      const [part] = of(edac(0, 5, 500, 1) + edac(0, 6, 300, 1 + seconds) + edac(0, 7, 200, 1 + seconds)).parts;
      return [part?.seconds, part?.perHour];
    };
    expect(rate(0)).toEqual([undefined, undefined]);
    expect(rate(300)).toEqual([300, undefined]);
    expect(rate(7200)).toEqual([7200, 500]);
    expect(triageHead(of(edac(0, 5, 500, 1) + edac(0, 6, 500, 4))).join(' ')).toContain('in a window of 3 s');
  });

  it('needs three reports, and is told by the day where it is low', () => {
    const all = (...hours: readonly number[]): TriageReport => of(hours.map(h => edac(0, 5, 1, h * 3600)).join(''));
    expect(all(0, 500).parts[0]).not.toHaveProperty('perHour');
    expect(triageHead(all(0, 10, 24)).join(' ')).toContain('3.0 a day, in a window of 24 h');
    expect(triageHead(all(0, 1, 2000)).join(' ')).toContain('less than one in 10 days');
    expect(triageHead(all(0, 1, 1)).join(' ')).toContain('3.0 an hour');
  });
});

describe('a soft offline that failed', () => {
  it('is an error of its own, and its page is in use', () => {
    const { worst, bySeverity } = of('[1.000000] soft offline: 0x104e5c: page migration failed -12, type 17\n');
    expect(bySeverity).toEqual({ corrected: { incidents: 1, errors: 1 } });
    expect(worst).toMatchObject({ fate: ['weak page not moved'], because: ['page-not-moved'], nextSteps: [] });
  });
});

describe('a machine check that a paravisor made', () => {
  const made = 'virt_mshv_vtl::processor::tdx: WARN  guest accessed inaccessible gpa, injecting MC gpa=0x666d9000';
  const dump = '!!!! X64 Exception Type - 12(#MC - Machine-Check)  CPU Apic ID - 00000000 !!!!\n';

  it('is one error with the exception that the firmware of its guest took', () => {
    const { worst, incidents } = of(`${at(3, made)}${dump}`);
    expect([incidents, worst?.because]).toEqual([1, ['paravisor']]);
    expect(worst?.witnesses.map(w => w.joinedBy)).toEqual([undefined, 'report']);
    expect(worst?.nextSteps).toEqual([]);
    expect(worst?.actions).toEqual([
      'replace nothing for it: the paravisor made this machine check. Look what the guest maps at 0x00000000666d9000',
    ]);
  });

  it('is none where firmware alone took one', () => {
    expect(of(dump).worst?.because).toEqual([]);
    expect(of(dump).worst?.nextSteps.join()).toContain('Look for what raised it');
  });
});

describe('what a line of the kernel speaks of', () => {
  it('is no step beside the record that it speaks of', () => {
    const guest = BANK.map(line => line.replace('microcode 5000021', 'microcode ffffffff'));
    const steps = of(mce(1, guest) + at(1.1, WHY) + at(1.2, PANIC)).worst?.nextSteps.join(' ') ?? '';
    expect(steps).not.toContain('Look at the records before it');
  });

  it('the machine check before it', () => {
    expect(witnesses(mce(1) + at(1.1, WHY) + at(1.2, PANIC))).toEqual([
      ['PCC', undefined],
      ['mce-severity', 'report'],
      ['panic', 'report'],
    ]);
  });

  it('not one of another minute, nor one that was found in its bank', () => {
    expect(witnesses(mce(1) + at(90, PANIC))).toEqual([['PCC', undefined]]);
    const polled = BANK.map(line => line.replace(' Exception: 5 Bank 7: be', ': 0 Bank 7: 8c'));
    const report = of(mce(1, polled) + at(1.2, PANIC));
    expect(report.worst?.witnesses.map(w => w.class)).toEqual(['panic']);
    expect(report.bySeverity).toEqual({ corrected: { incidents: 1, errors: 1 } });
  });

  it('of several banks the last, which Linux prints last because it is the worst', () => {
    const other = BANK.map(line => line.replace('Bank 7', 'Bank 9').replace('314d193000', '5000'));
    expect(witnesses(mce(1, other) + mce(1.05) + at(1.1, PANIC))).toEqual([
      ['PCC', undefined],
      ['panic', 'report'],
    ]);
    expect(of(mce(1, other) + mce(1.05) + at(1.1, PANIC)).worst?.address).toBe(0x314d193000n);
  });

  it('a page that was not taken away is not the one that was', () => {
    const page = (pfn: string, result: string): string =>
      `Memory failure: 0x${pfn}: recovery action for dirty LRU page: ${result}`;
    const both = at(1, page('77', 'Ignored')) + at(1.1, page('99', 'Recovered'));
    expect(witnesses(both + at(1.2, 'mce: Memory error not recovered'))).toEqual([
      ['memory-failure', undefined],
      ['mce-not-recovered', 'report'],
    ]);
    expect(of(at(1, page('99', 'Recovered')) + at(1.2, 'mce: Memory error not recovered')).bySeverity).toEqual({
      'uncorrected-recoverable': { incidents: 1, errors: 1 },
    });
  });

  it('a panic for another reason is none of an error', () => {
    expect(witnesses(mce(1) + at(1.1, 'Kernel panic - not syncing: VFS: Unable to mount root fs'))).toEqual([
      ['PCC', undefined],
    ]);
  });
});

describe('what stands within a report', () => {
  const DRIVER =
    'EDAC MC1: 1 UE Cannot decode normalized address on mc#1csrow#0channel#6 (csrow:0 channel:6 page:0x0 offset:0x0 grain:64)';
  const amd = (within: boolean): string =>
    [
      '[Hardware Error]: Deferred error, no action required.',
      '[Hardware Error]: CPU:67 (19:11:1) MC21_STATUS[-|-|-|AddrV|-|-|SyndV|UECC|Deferred|-|Scrub]: 0x942031000400011b',
      '[Hardware Error]: Error Addr: 0x0000000005dc2a00',
      '[Hardware Error]: IPID: 0x0000109600650f00, Syndrome: 0x9a4a00000b800008',
      '[Hardware Error]: Unified Memory Controller Ext. Error Code: 0, DRAM ECC error.',
      ...(within ? [DRIVER] : []),
      '[Hardware Error]: cache level: L3/GEN, tx: GEN, mem-tx: RD',
      ...(within ? [] : [DRIVER]),
    ]
      .map(line => at(5, line))
      .join('');

  it('the line of a driver in the middle of it is about the same error, and no worse than it', () => {
    expect(of(amd(true)).bySeverity).toEqual({ deferred: { incidents: 1, errors: 1 } });
  });

  it('one behind it need not be', () => {
    expect(of(amd(false)).incidents).toBe(2);
  });

  it('a page is that of a bank only at the same time', () => {
    const page = 'Memory failure: 0x5dc2: recovery action for free buddy page: Recovered';
    expect(of(amd(true) + at(6, page)).incidents).toBe(1);
    expect(of(at(4, page) + amd(true)).incidents).toBe(1);
    expect(of(amd(true) + at(60, page)).incidents).toBe(2);
    expect(of(amd(true) + at(6, page.replace('5dc2', '5dc3'))).incidents).toBe(2);
  });

  it('a machine check that two programs wrote is one, where it names one moment', () => {
    const row = (tsc: string): string =>
      `rasdaemon[99]: <idle>-0 [000] 0.000001 mce_record: 2020-11-20 03:30:17 +0000 bank=7, status= be00000001010091, Processor context corrupt, mci=Uncorrected, mca=memory read, cpu_type= Skylake server, cpu= 18, socketid= 1, misc= 200400c008002086, addr= 314d193000, mcgstatus= 5, mcgcap= f000c14, apicid= 40, tsc= ${tsc}\n`;
    expect(of(mce(1) + row('ae4b410af0b8')).incidents).toBe(1);
    expect(of(mce(1) + row('ae4b410af0b9')).incidents).toBe(2);
  });

  it('what is said of a bad page later is no error more', () => {
    const page = 'Memory failure: 0x314d193: recovery action for dirty LRU page: Failed';
    const { bySeverity, remarks } = of(mce(1) + at(2, page) + at(90, page));
    expect(bySeverity).toEqual({ fatal: { incidents: 1, errors: 1 } });
    expect(remarks.join(' ')).toContain('1 record tells what came of an error');
  });
});

describe('counters of all errors of a part', () => {
  const rows = [
    'Memory controller events:',
    ...[24, 25].map(
      n =>
        `${n} 2022-10-16 06:5${n - 20}:24 +0000 2 Corrected error(s): memory read error at DIMM_A1 location: 3:1:0:-1, addr ${n * 4096}, grain 5, syndrome 0`,
    ),
  ];
  const table = (ce: number): string[] => ['Label               \tCE\tUE', `DIMM_A1\t${ce}\t0`, ''];

  it('are no errors more, but those that no record tells of', () => {
    const { bySeverity, incidents, parts, groups } = of([...rows, ...table(9)].join('\n'));
    expect(bySeverity).toEqual({ corrected: { incidents: 2, errors: 9 } });
    expect(incidents).toBe(2);
    expect(parts).toMatchObject([{ name: 'DIMM_A1', onlyCounted: 5, bySeverity }]);
    expect(groups.map(g => [g.what, g.errors])).toEqual([
      ['Memory controller driver: corrected error, counted in all', 9],
      ['Memory controller driver: corrected error', 4],
    ]);
    expect(of([...rows, ...table(3)].join('\n')).bySeverity).toEqual({ corrected: { incidents: 2, errors: 4 } });
  });

  it('alone stand for what they count, twice for no more', () => {
    const all = of([...table(9), ...table(9)].join('\n'));
    expect(all.bySeverity).toEqual({ corrected: { incidents: 1, errors: 9 } });
    expect(all.worst).toMatchObject({ part: 'DIMM_A1', because: [] });
    expect(of(table(12).join('\n')).worst?.actions).toEqual([
      'read the count of DIMM_A1 again after a day: 10 more mean that it is to be replaced; the input does not say in how long the 12 came',
    ]);
  });
});

describe('parts that are no DIMM', () => {
  const cxl = (dpa: string, descriptor: string): string =>
    `[    1.000000] cxl_general_media: memdev=mem1 host=0000:0e:00.0 serial=5 log=Warning : time=1 uuid=fbcd0a77-c260-417f-85a9-088b1621eba6 len=128 flags='0x1' handle=0 related_handle=0 maint_op_class=0 : dpa=${dpa} dpa_flags='0x10' descriptor='${descriptor}' type='0x3' transaction_type='0xc0' channel=3 rank=33 device=5\n`;

  it('the memory of a CXL device, its cells, and the pages within it that are met again', () => {
    const { parts, pagesAgain } = of(cxl('17c0', 'THRESHOLD_EVENT') + cxl('1780', 'UNCORRECTABLE_EVENT'));
    expect(parts).toMatchObject([
      { name: 'CXL mem1', place: { channel: 3, rank: 33, device: 5 }, distinct: { pages: 1 } },
    ]);
    expect(pagesAgain).toEqual([{ device: 'CXL mem1', dpa: 0x1000n, incidents: 2 }]);
  });

  it('what firmware and driver tell of one page of a device, joined by its PCI address', () => {
    const both = readFileSync(join(DIR, '..', '..', 'decode', 'golden', 'linux-cxl-trace.in'), 'utf8');
    const { incidents, worst, parts } = of(both);
    expect(incidents).toBe(1);
    expect(worst?.witnesses.map(w => [w.reporter, w.joinedBy])).toEqual([
      ['firmware', undefined],
      ['device', 'address and time'],
    ]);
    expect(parts.map(p => p.name)).toEqual(['CXL mem1']);
    expect(of(both.replace('host=0000:0e:00.0', 'host=0000:0f:00.0')).incidents).toBe(2);
    expect(of(both.replace('dpa=7c0', 'dpa=27c0')).incidents).toBe(2);
  });

  it('the function of a PCIe device', () => {
    const line =
      '[    1.000000] aer_event: 0000:01:00.0 PCIe Bus Error: severity=Corrected, Bad TLP, TLP Header=Not available\n';
    expect(of(line).parts.map(p => p.name)).toEqual(['PCIe 0000:01:00.0']);
  });

  it('the channel that rasdaemon names where the registers do not', () => {
    const row =
      '101 2023-05-31 10:06:19 -0400 error: Memory Controller error, mcg mcgstatus=0, mci Corrected_error, memory_channel=1,csrow=2, mcgcap=0x0000011c, status=0x9c2040000000011b, addr=0xa8eb3fc80, misc=0xd01202dd01000000, walltime=0x6477545b, cpuid=0x00a20f10, bank=0x00000011\n';
    expect(of(row).parts).toMatchObject([{ name: 'channel 1, chip select 2', place: { channel: 1, chipSelect: 2 } }]);
  });
});

describe('what is told twice', () => {
  it('a bank in a report of the firmware', () => {
    const { incidents, worst } = triage(readFileSync(join(DIR, '..', '..', 'decode', 'golden', 'linux-bert.in')));
    expect(incidents).toBe(1);
    expect(worst).toMatchObject({ ofEarlierBoot: true, because: ['earlier-boot'] });
  });

  it('a bank, and the one that Linux makes of the report of the firmware about it', () => {
    const bank = (n: number, addr = '123450000'): string =>
      mce(1, [
        `CPU 0: Machine Check: 0 Bank ${n}: 8c00004000010090`,
        `TSC 0 ADDR ${addr} MISC 8c`,
        'PROCESSOR 0:806f8 TIME 1689802780 SOCKET 0 APIC 0 microcode 1',
      ]);
    expect(of(bank(13) + bank(255)).bySeverity).toEqual({ corrected: { incidents: 1, errors: 1 } });
    expect(of(bank(13) + bank(14)).incidents).toBe(2);
    expect(of(bank(13) + bank(255, '123451000')).incidents).toBe(2);
  });

  it('Xen: why it stops, the bank, and the panic', () => {
    const xen = [
      'Fatal machine check: MCE: Fatal error happened on CPUs 1',
      'CPU0: Machine Check Exception:                0',
      'Bank 1: b200000000000000',
      'Panic on CPU 0:',
      'HARDWARE ERROR',
    ];
    const { worst, incidents } = of(xen.map(line => `(XEN) ${line}\n`).join(''));
    expect(incidents).toBe(1);
    expect(worst?.witnesses.map(w => w.class)).toEqual(['xen-fatal-mce', 'PCC', 'xen-panic']);
    expect(worst?.nextSteps.join(' ')).not.toMatch(/needs no reset/);
  });

  it('an error that is found again at the next start', () => {
    const left = mce(
      0.06,
      BANK.map(line => line.replace(' Exception: 5', ': 0')),
    );
    const both = mce(1) + at(1.2, PANIC) + left;
    expect(of(both).bySeverity).toEqual({ fatal: { incidents: 1, errors: 1 } });
  });
});

describe('look-alikes', () => {
  it('a corrected error is not the one for which Linux takes its page away', () => {
    const corrected = mce(
      1,
      BANK.map(line => line.replace(' Exception: 5 Bank 7: be', ': 0 Bank 7: 8c')),
    );
    const report = of(corrected + at(1.5, 'Memory failure: 0x314d193: recovery action for dirty LRU page: Recovered'));
    expect(report.bySeverity).toEqual({
      'uncorrected-recoverable': { incidents: 1, errors: 1 },
      corrected: { incidents: 1, errors: 1 },
    });
    const moved = of(corrected + at(1.5, 'Soft offline: 0x314d193: page migration failed, type 0x1'));
    expect(moved.worst).toMatchObject({ severity: 'corrected', because: ['page-not-moved'] });
  });

  it('banks of one firmware report are errors each for itself', () => {
    const { bySeverity } = triage(readFileSync(join(DIR, '..', '..', 'decode', 'golden', 'cper-smca.in')));
    expect(bySeverity).toEqual({
      'uncorrected-recoverable': { incidents: 1, errors: 1 },
      deferred: { incidents: 1, errors: 1 },
      corrected: { incidents: 1, errors: 1 },
    });
  });

  it('what is known to be no failure is never the worst', () => {
    const gart = readFileSync(join(DIR, '..', '..', 'decode', 'golden', 'mcelog-k8-headless.in'), 'utf8');
    expect(of(gart).worst).toMatchObject({ fate: ['no failure'], because: ['no-failure'] });
    expect(of(gart + edac(0, 5, 1, 100)).worst?.part).toBe('CPU_SrcID#0_MC#0_Chan#0_DIMM#0');
    expect(of(gart).remarks.join(' ')).toMatch(/2 of the errors are known to be no failure/);
  });

  it('a record of a virtual machine takes no machine out of service', () => {
    const guest = BANK.map(line => line.replace('microcode 5000021', 'microcode ffffffff'));
    const { worst } = of(mce(1, guest) + at(1.2, PANIC));
    expect(worst?.because).toEqual(['guest']);
    expect(of(mce(1) + at(1.2, PANIC)).worst?.because).toEqual(['machine-down']);
  });

  it('an address of 0 is none: nothing is joined by it, and no page met again', () => {
    const zero = BANK.map(line => line.replace('314d193000', '0'));
    const report = of(mce(1, zero) + at(1.5, 'Memory failure: 0x0: recovery action for dirty LRU page: Recovered'));
    expect(report.pagesAgain).toEqual([]);
    expect(report.worst?.witnesses).toHaveLength(1);
  });

  it('a cache with ECC is no memory to be replaced', () => {
    const line = "EDAC DEVICE0: XGene L3 UE: l3c instance: l3c0 block: l3c 'L3C UNCORRECTABLE'";
    expect(of(at(1, line)).worst?.because).toEqual([]);
  });
});

describe('which error is the worst', () => {
  it('one of this boot, before what an earlier one left behind', () => {
    const left = mce(
      0.06,
      BANK.map(line => line.replace(' Exception: 5', ': 0').replace(/TSC [0-9a-f]+/, 'TSC 0')),
    );
    const now = edac(0, 5, 1, 100).replace(' CE ', ' UE ');
    expect(of(left + now).worst?.severity).toBe('uncorrected');
    expect(of(left + edac(0, 6, 1, 100)).worst).toMatchObject({ severity: 'fatal', ofEarlierBoot: true });
    // The poll of a running machine has the time: it may have found it long after the start.
    const running = mce(
      88_888,
      BANK.map(line => line.replace(' Exception: 5', ': 0').replace(/TSC [0-9a-f]+/, 'TSC 12345678abcd')),
    );
    expect(of(running).worst?.ofEarlierBoot).toBeUndefined();
  });
});

describe('what is left over of the boot before', () => {
  const decoded = (seconds: number, status = 'bea0000000000108'): string =>
    [
      '[Hardware Error]: System Fatal error.',
      `[Hardware Error]: CPU:21 (19:21:0) MC5_STATUS[-|UE|MiscV|AddrV|PCC|TCC|SyndV|-|-|-]: 0x${status}`,
      '[Hardware Error]: Error Addr: 0x0001ffffc080cb3a',
      '[Hardware Error]: IPID: 0x000500b000000000, Syndrome: 0x000000004d000000',
    ]
      .map(line => at(seconds, line))
      .join('');
  const reset = (why: string, seconds = 0.4): string =>
    at(seconds, `x86/amd: Previous system reset reason [0x08000800]: ${why}`);
  const FLOOD = 'an uncorrected error caused a data fabric sync flood event';
  const isOld = (log: string): boolean => of(log).worst?.ofEarlierBoot === true;

  it('is fatal in the text of the decoder for AMD while the machine starts', () => {
    expect(isOld(decoded(5))).toBe(true);
    expect(isOld(decoded(5000))).toBe(false);
    expect(isOld(decoded(5) + at(5.1, PANIC))).toBe(false);
  });

  it('is what a line says that tells why the machine was reset, for two minutes', () => {
    expect(isOld(reset(FLOOD, 100) + decoded(150))).toBe(true);
    expect(isOld(reset(FLOOD, 100) + decoded(250))).toBe(false);
    expect(of(reset(FLOOD) + decoded(1)).worst?.actions.join()).toContain(FLOOD);
    // An exception of now is none.
    expect(isOld(reset(FLOOD) + mce(1))).toBe(false);
  });
});

describe('two CPUs that share a bank', () => {
  const thread = (apic: string, status: string, cpu: number, socket = 1): string =>
    mce(1, [
      `CPU ${cpu}: Machine Check: 0 Bank 4: ${status}`,
      'TSC ae4b410af0b8 ',
      `PROCESSOR 0:50657 TIME 1605843017 SOCKET ${socket} APIC ${apic} microcode 5000021`,
    ]);

  it('tell of one error', () => {
    expect(of(thread('10', 'b200000000100405', 2) + thread('20', 'b200000000100405', 4)).incidents).toBe(1);
    expect(of(thread('10', '9200004000010150', 2) + thread('11', '9200004000010150', 3)).incidents).toBe(1);
  });

  it('but for a corrected one of two cores, another status, or the same CPU twice', () => {
    expect(of(thread('10', '9200004000010150', 2) + thread('20', '9200004000010150', 4)).incidents).toBe(2);
    expect(of(thread('10', 'b200000000100405', 2) + thread('11', 'b200000000100406', 3)).incidents).toBe(2);
  });

  it('but for CPUs of two sockets, which share none', () => {
    const status = 'b200000000100405';
    expect(of(thread('10', status, 2, 0) + thread('50', status, 4, 1)).incidents).toBe(2);
  });
});

describe('which part is the worst', () => {
  it('of corrected errors the one with the most in all, not that of the longest line', () => {
    const report = of(edac(0, 5, 236, 1) + edac(1, 6, 232, 2) + edac(1, 7, 232, 3));
    expect(report.worst).toMatchObject({ part: 'CPU_SrcID#0_MC#0_Chan#0_DIMM#1', errors: 232 });
    expect(report.causes.map(c => c.part)).toEqual(['CPU_SrcID#0_MC#0_Chan#0_DIMM#0']);
  });
});

describe('the recovery of a PCIe device', () => {
  const aer = at(
    1,
    'pcieport 0000:00:03.0: PCIe Bus Error: severity=Uncorrected (Non-Fatal), type=Transaction Layer, (Requester ID)',
  );
  it('that went well leaves nothing to do', () => {
    const { worst } = of(aer + at(1.1, 'pcieport 0000:00:03.0: AER: device recovery successful'));
    expect(worst).toMatchObject({ because: ['device-recovered'], fate: ['device recovered'], nextSteps: [] });
    expect(of(aer).worst).toMatchObject({ because: [], fate: [] });
  });
});

describe('errors of one column', () => {
  const column = (n: number): string => edac(0, n, 1, n).replace(/row:.*/, `row:0x${n.toString(16)} col:0x10)`);
  it('are a fault that stays, from three on', () => {
    expect(of(column(1) + column(2)).worst?.because).toEqual([]);
    expect(of(column(1) + column(2) + column(3)).worst?.actions).toEqual([
      'plan to replace CPU_SrcID#0_MC#0_Chan#0_DIMM#0: 3 errors in one column are a fault that stays',
    ]);
  });
});

describe('a panic without a bank', () => {
  it('is one with the line that says why, and no error by itself', () => {
    const report = of(
      at(1, 'mce: CPUs not responding to MCE broadcast (may include false positives): 3') +
        at(1.1, 'Kernel panic - not syncing: Timeout: Not all CPUs entered broadcast exception handler'),
    );
    expect(report.worst?.witnesses.map(w => w.class)).toEqual(['mce-missing-cpus', 'panic']);
    expect(report.worst?.fate).toEqual(['machine panicked']);
    expect(triageHead(report).join(' ')).toContain('no error itself, only lines that tell what came of one');
  });
});

describe('patterns', () => {
  const row = (n: number, rank: number, bank: number, r: number, column: number): string =>
    edac(0, n, 1, n).replace(
      /rank:.*/,
      `rank:${rank} bg:0 ba:${bank} row:0x${r.toString(16)} col:0x${column.toString(16)})`,
    );
  it.each([
    [
      'one cell',
      [
        [0, 1, 7, 8],
        [0, 1, 7, 8],
      ],
    ],
    [
      'one row',
      [
        [0, 1, 7, 8],
        [0, 1, 7, 9],
      ],
    ],
    [
      'one column',
      [
        [0, 1, 7, 8],
        [0, 1, 6, 8],
      ],
    ],
    [
      'one bank',
      [
        [0, 1, 7, 8],
        [0, 1, 6, 9],
      ],
    ],
    [
      'one rank, several banks',
      [
        [0, 1, 7, 8],
        [0, 2, 7, 8],
      ],
    ],
    [
      'several ranks',
      [
        [0, 1, 7, 8],
        [1, 1, 7, 8],
      ],
    ],
  ] as const)('%s', (is, cells) => {
    const [part] = of(cells.map((c, i) => row(i + 1, c[0], c[1], c[2], c[3])).join('')).parts;
    expect(part?.pattern).toEqual({ is, incidents: 2 });
  });

  it('none of one error', () => {
    expect(of(row(1, 0, 1, 7, 8)).parts[0]?.pattern).toBeUndefined();
  });
});

describe('sums', () => {
  const line = fc.record({ dimm: fc.integer({ min: 0, max: 3 }), count: fc.integer({ min: 1, max: 500 }) });

  it('are those of the parts, in any order and in any pieces', () => {
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 300 }),
        fc.nat(),
        (all, size, turn) => {
          const lines = all.map(({ dimm, count }, i) => edac(dimm, i + 1, count, i + 1));
          const at = turn % lines.length;
          const turned = [...lines.slice(at), ...lines.slice(0, at)].toReversed();
          const expected = all.reduce((n, l) => n + l.count, 0);
          const reports = [lines, turned].map(l => triage(new TextEncoder().encode(l.join('')), size));
          for (const { bySeverity, parts } of reports) {
            expect(bySeverity.corrected).toEqual({ incidents: all.length, errors: expected });
            expect(parts.reduce((n, p) => n + (p.bySeverity.corrected?.errors ?? 0), 0)).toBe(expected);
            for (let dimm = 0; dimm < 4; dimm++) {
              const mine = all.filter(l => l.dimm === dimm).reduce((n, l) => n + l.count, 0);
              expect(parts.find(p => p.name.endsWith(`#${dimm}`))?.bySeverity.corrected?.errors ?? 0).toBe(mine);
            }
          }
          const byName = (r: TriageReport): unknown => r.parts.toSorted((a, b) => (a.name < b.name ? -1 : 1));
          expect(byName(reports[1] as TriageReport)).toEqual(byName(reports[0] as TriageReport));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('of a million distinct records need no more memory than those of a tenth', { timeout: 300_000 }, () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const sums = new Triage();
    const heap = (): number => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    const feed = (from: number, to: number): void => {
      for (let i = from; i < to; i++) {
        const message = `memory read error on DIMM_${i % 300} (channel:0 row:${i} col:${i >> 3} rank:0 bank:${i & 15})`;
        const fields = { count: 1, message, addr: BigInt(i) * 4096n + 64n };
        sums.add(recordOf({ raw: { kind: 'event', name: 'edac-corrected', fields } }));
      }
    };
    const before = heap();
    feed(0, 100_000);
    const tenth = heap() - before;
    feed(100_000, 1_000_000);
    const all = heap() - before;
    const report = sums.report();
    expect(report.bySeverity.corrected).toEqual({ incidents: 1_000_000, errors: 1_000_000 });
    expect(report.parts.reduce((n, p) => n + (p.bySeverity.corrected?.errors ?? 0), 0)).toBe(1_000_000);
    expect(all / tenth).toBeLessThan(2);
    expect(report.remarks.join(' ')).toMatch(/More parts than are told apart/);
  });
});

describe('counters of bounded memory', () => {
  it('count different values exactly up to the bound, and near it beyond, in any order', () => {
    const values = Array.from({ length: 20_000 }, (_, i) => hashOf([i, 7]));
    const exact = new DistinctCounter(256);
    for (const v of values.slice(0, 256)) exact.add(v);
    expect([exact.count, exact.approximate]).toEqual([256, false]);
    const [a, b, half] = [new DistinctCounter(256), new DistinctCounter(256), new DistinctCounter(256)];
    for (const v of values) a.add(v);
    for (const v of values.slice(0, 10_000)) half.add(v);
    for (const v of values.slice(5000).toReversed()) b.add(v);
    b.merge(half);
    expect(b.count).toBe(a.count);
    expect(Math.abs(a.count / values.length - 1)).toBeLessThan(0.25);
    expect(a.approximate).toBe(true);
  });

  it('keep what was met most often, and say by how much they may be wrong', () => {
    const top = new TopCounter<number>(64);
    for (let i = 0; i < 20_000; i++) top.add(i % 3 === 0 ? 7 : 1000 + i);
    const [first] = top.top(3, 2);
    expect(first?.key).toBe(7);
    expect(first?.times).toBeLessThanOrEqual(6667);
    expect((first?.times ?? 0) + top.missing).toBeGreaterThanOrEqual(6667);
  });
});

describe('one record that two programs tell', () => {
  const told = (addr: string): string => `MCA: Bank 4, Status 0x940c4001fe080813
MCA: Global Cap 0x0000000000000105, Status 0x0000000000000000
MCA: Vendor "AuthenticAMD", ID 0xf5a, APIC ID 0
MCA: CPU 0 COR BUSLG Source RD Memory
MCA: Address 0x7ff6b0

HARDWARE ERROR. This is *NOT* a software problem!
CPU 0 4 northbridge
ADDR ${addr}
STATUS 940c4001fe080813 MCGSTATUS 0
CPUID Vendor AMD Family 15 Model 5
`;
  it('is one error where neither has a time: FreeBSD, and what mcelog makes of its lines', () => {
    expect(of(told('7ff6b0')).bySeverity).toEqual({ corrected: { incidents: 1, errors: 1 } });
    expect(of(told('7ff6b8')).bySeverity).toEqual({ corrected: { incidents: 2, errors: 2 } });
  });
});

it('a counter without a span of time asks to be read again, not to replace the part', () => {
  const counter = (ce: number): string => `/sys/devices/system/edac/mc/mc0/csrow0/ce_count\n${ce}\n`;
  expect(of(counter(17)).worst?.because).toEqual(['many-counted']);
  expect(of(counter(9)).worst?.because).toEqual([]);
});

describe('what public reports of 2026 told wrongly', () => {
  it('many errors of a DIMM that mcelog could not name: it is to be found first', () => {
    const client = (dimm: string): string =>
      `Memory errors\nSOCKET 1 CHANNEL 3 DIMM ${dimm}\ncorrected memory errors:\n\t1651 total\n\t10 in 24h\n`;
    expect(of(client('any')).worst?.actions[0]).toMatch(/^find which DIMM of SOCKET 1 CHANNEL 3 DIMM any it is/);
    expect(of(client('0')).worst?.actions[0]).toMatch(/^plan to replace SOCKET 1 CHANNEL 3 DIMM 0:/);
  });

  it('a process that got SIGKILL, as its page could not be unmapped', () => {
    const text = readFileSync(join(DIR, '..', '..', 'decode', 'golden', 'linux-killed.in'), 'utf8');
    const { worst } = of(text.slice(0, text.indexOf('\n\n')));
    expect(worst).toMatchObject({ fate: ['read_poison:22434 killed'], because: ['signalled'] });
  });

  it('a panic that names the page: one error, and no advice for a machine that goes on', () => {
    const page = 'Memory failure: 0x100032: ';
    const { worst, incidents } = of(
      `[1.1] ${page}recovery action for get hwpoison page: Ignored\n[1.2] Kernel panic - not syncing: ${page}unrecoverable page\n`.replaceAll(
        /\[1\.(\d)\]/g,
        '[    1.$100000]',
      ),
    );
    expect(incidents).toBe(1);
    expect(worst).toMatchObject({ because: ['machine-down'], fate: ['machine panicked', 'page still in use'] });
    expect(worst?.nextSteps.join(' ')).not.toMatch(/plan a restart/);
  });

  it('a memory error of all that the firmware watches names no controller', () => {
    const { parts } = triage(readFileSync(join(DIR, '..', '..', 'decode', 'golden', 'linux-edac-ghes.in')));
    expect(parts.map(p => p.name)).toEqual(['node 0, card 0, module 0']);
  });
});
