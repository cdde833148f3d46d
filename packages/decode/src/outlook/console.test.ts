import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { OutlookContext, Settings } from './context.ts';
import { predictChain } from './predict.ts';
import type { Prediction } from './prediction.ts';
import type { ChainOptions, LayerSettings } from './predict.ts';
import type { OutlookRecord } from './record.ts';
import { cper, named } from './testing/records.ts';

/**
 * What the lab's scenarios printed after their injection (QEMU 11.1.3, Linux 7.2.12, Xen 4.20.3): the lines of the guest's
 * console that speak of an error, and QEMU's own. Predicted and printed lines have to be the same ones, all of them.
 */
interface Printed {
  record: OutlookRecord;
  first: OutlookContext;
  layers: LayerSettings;
  options?: ChainOptions;
  /** The kernel's threads print at the same time: the lines of two of them are mixed. */
  mixed?: true;
}

/** Printed by the first machine check of a boot only, or by another CPU. */
const NOT_OF_THE_RECORD = /Disabling lock debugging due to kernel taint/;

const TCG: Partial<Settings> = {
  version: '7.2.12',
  platform: 'tcg',
  running: 'user',
  cpus: 2,
  monarchTimeout: 30_000_000,
  page: 'user',
  earlyKill: true,
  sigbusHandler: true,
};
const KVM: Partial<Settings> = { ...TCG, platform: 'kvm', cpus: 1, succor: true, overflowRecov: true };
const hmp = (broadcast: boolean): OutlookContext => ({
  consumer: 'qemu',
  version: '11.1.3',
  delivery: 'hmp',
  platform: 'tcg',
  broadcast,
});
/** QEMU in a host of AMD's: no MCG_SER_P for its guest. */
const sigbus = (vendor: 'intel' | 'amd', more: Partial<Settings> = {}): OutlookContext => ({
  consumer: 'qemu',
  version: '11.1.3',
  platform: 'kvm',
  vendor,
  mcgCap: 0x10an,
  ...more,
});

const PRINTED: Record<string, Printed> = {
  'intel-ce-logged': {
    record: named('ce', { addr: 0xcfe7000n }),
    first: hmp(false),
    layers: { linux: { ...TCG, printAll: true } },
  },
  'intel-srao-process': { record: named('srao'), first: hmp(true), layers: { linux: TCG } },
  'intel-srar-process': { record: named('srar-data'), first: hmp(true), layers: { linux: TCG } },
  'intel-uc-fatal': { record: named('uc-fatal'), first: hmp(true), layers: { linux: { ...TCG, running: 'idle' } } },
  'amd-uc-plain': { record: named('amd-uc'), first: hmp(false), layers: { linux: TCG } },
  'amd-deferred': {
    record: { kind: 'sigbus', code: 'BUS_MCEERR_AO' },
    first: sigbus('amd'),
    layers: { linux: { ...KVM, printAll: true } },
  },
  'intel-guest-on-amd-host': {
    record: { kind: 'sigbus', code: 'BUS_MCEERR_AO' },
    first: sigbus('intel'),
    layers: { linux: { ...KVM, running: 'idle' } },
  },
  'arm64-ghes-memory': {
    record: cper('recoverable', {
      body: { kind: 'memory', physicalAddress: 0n, physicalAddressMask: 0xfffffffffffff000n, errorType: 3 },
    }),
    first: { consumer: 'qemu', version: '11.1.3', ras: true },
    layers: { linux: TCG },
  },
};

/** The lines of a golden console, without time stamps. */
function printedLines(name: string): string[] {
  return readFileSync(new URL(`golden/${name}.log`, import.meta.url), 'utf8')
    .split(/\r?\n/)
    .map(line => line.replace(/^\[ *\d+\.\d{6}\] /, '').replace(/^qemu(-system-\S+)?: /, ''))
    .filter(line => line !== '' && !NOT_OF_THE_RECORD.test(line));
}

/** The physical address that the run gave its page: a prediction knows only the one it was given. */
function addressIn(lines: readonly string[]): bigint | undefined {
  for (const line of lines) {
    const found = / ADDR ([0-9a-f]+) /.exec(line) ?? /(?:physical_address|GUEST addr):? 0x([0-9a-f]+)/.exec(line);
    if (found?.[1] !== undefined) return BigInt(`0x${found[1]}`);
    const pfn = /^Memory failure: 0x([0-9a-f]+)/.exec(line)?.[1];
    if (pfn !== undefined) return BigInt(`0x${pfn}000`);
  }
  return undefined;
}

function at(record: OutlookRecord, address: bigint | undefined): OutlookRecord {
  if (address === undefined) return record;
  switch (record.kind) {
    case 'x86-mca':
      return { ...record, addr: address };
    case 'sigbus':
      return { ...record, gpa: address };
    case 'cper':
      return {
        ...record,
        sections: record.sections.map(s =>
          s.body.kind === 'memory' ? { ...s, body: { ...s.body, physicalAddress: address } } : s,
        ),
      };
    case 'arm-sea':
    case 'cxl':
      return record;
  }
}

/** A predicted line as a pattern: `<…>` stands for what cannot be known. */
function pattern(message: string): RegExp {
  const parts = message.split(/<[a-z ]+>/).map(p => p.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.+')}$`);
}

/** What such a run cannot show: a list that only the next reset reads. */
const UNSEEN = ['qemu.sigbus.page-kept'];

/** Rules of a chain that nobody saw act. */
function unseen(chain: readonly Prediction[]): string[] {
  const rules = chain.flatMap(p => p.steps.map(s => s.rule));
  return [...new Set(rules.filter(r => r.evidence === 'read').map(r => r.id))].filter(id => !UNSEEN.includes(id));
}

describe('the lines of the lab’s consoles are those that were predicted', () => {
  it.each(Object.entries(PRINTED))('%s', (name, { record, first, layers, options }) => {
    const lines = printedLines(name);
    const chain = predictChain(at(record, addressIn(lines)), first, layers, options);
    const predicted = chain.flatMap(p => p.messages);
    expect(lines.length).toBeGreaterThan(0);
    // One comparison that shows both lists where they differ.
    const shown = predicted.map((message, i) => (pattern(message).test(lines[i] ?? '') ? lines[i] : message));
    expect(shown).toEqual(lines);
    // Where every line came true, every rule behind them acted.
    expect(unseen(chain)).toEqual([]);
  });

  it('amd-consumed: the lines of the second signal, printed by two threads at once', () => {
    const lines = printedLines('amd-consumed');
    const gpa = addressIn(lines);
    const layers = { linux: KVM };
    const options = { alternatives: false };
    const [optional] = predictChain(
      { kind: 'sigbus', code: 'BUS_MCEERR_AO', ...(gpa && { gpa }) },
      sigbus('amd'),
      layers,
    );
    const required = predictChain(
      { kind: 'sigbus', code: 'BUS_MCEERR_AR', ...(gpa && { gpa }) },
      // The record of the first signal is still in the bank.
      sigbus('amd', { bankStatus: 0x9c00_1800_0000_0000n }),
      layers,
      options,
    );
    const predicted = [...(optional?.messages ?? []), ...required.flatMap(p => p.messages)];
    for (const line of lines) expect(predicted.filter(m => pattern(m).test(line)).length, line).toBe(1);
    expect(predicted.length).toBe(lines.length);
    expect(unseen(required)).toEqual([]);
  });

  /** A stage 2 walk of an arm64 host that ends in bad memory, for an access of a process without a SIGBUS handler. */
  it.each([
    ['arm64-sea-exit', true, 'killed', ['kvm.sea.exit', 'vmm.sea.inject', 'linux.sea.user', 'linux.sigbus.deadly']],
    ['arm64-sea-serror', false, 'panicked', ['kvm.sea.no-capability', 'linux.serror.unknown']],
  ] as const)('%s: the way of the abort', (name, seaToUser, outcome, rules) => {
    const chain = predictChain(
      { kind: 'arm-sea', esr: 0x92000017n, el: 2 },
      { consumer: 'kvm', version: '7.2.12', seaToUser, apeiClaims: false, hostRas: true },
      { linux: { ...TCG, sigbusHandler: false, apeiClaims: false } },
    );
    expect(chain.at(-1)?.outcome).toBe(outcome);
    expect(chain.flatMap(p => p.steps.map(s => s.rule.id))).toEqual(rules);
    expect(unseen(chain)).toEqual([]);
    const lines = printedLines(name);
    const predicted = chain.flatMap(p => p.messages);
    expect(lines.length).toBe(predicted.length);
    for (const [i, message] of predicted.entries()) expect(lines[i]).toMatch(pattern(message));
  });

  it('mce-while-mcip: what the monitor answers', () => {
    const [qemu] = predictChain(named('srao'), { ...hmp(false), mcip: true });
    expect(printedLines('mce-while-mcip')).toEqual(qemu?.messages);
  });

  it('xen-uc-fatal: every predicted line, in its order', () => {
    const lines = printedLines('xen-uc-fatal').map(line => line.replace(/^\(XEN\) ?/, ''));
    const record = named('uc-fatal', { mcgStatus: 0n, misc: 0n, addr: 0n });
    const chain = predictChain(record, hmp(true), { xen: { cpus: 2 } }, { guest: 'xen' });
    let next = 0;
    for (const message of chain.flatMap(p => p.messages)) {
      const found = lines.findIndex((line, i) => i >= next && pattern(message).test(line));
      expect(found, message).toBeGreaterThanOrEqual(next);
      next = found + 1;
    }
  });
});
