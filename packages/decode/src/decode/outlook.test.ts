import { describe, expect, it } from 'vitest';
import { OUTLOOK_OUTCOMES } from '../outlook/prediction.ts';
import { CREATOR_WINDOWS } from '../cper/guid.ts';
import type { CperSeverity } from '../cper/record.ts';
import { CperDecoded } from './cper-record.ts';
import { McaDecoded } from './mca-record.ts';
import { outlookOf, readersOf, tellingMessage } from './outlook.ts';
import type { InputForm } from './record.ts';
import { decodedSchema } from './schema.ts';
import { toText } from './to-text.ts';

const SRAR = {
  kind: 'x86-mca',
  vendor: 'intel',
  cpu: 3,
  bank: 7,
  status: 0xbd80000000000134n,
  mcgStatus: 7n,
  addr: 0x1000n,
  misc: 0x86n,
} as const;
const consumers = (record: Parameters<typeof outlookOf>[0], from?: InputForm): string[] => [
  ...new Set(outlookOf(record, from).map(o => o.consumer)),
];

describe('outlookOf', () => {
  it('names only who can have got a record from such an input', () => {
    expect(consumers(SRAR, 'linux')).toEqual(['linux']);
    expect(consumers(SRAR, 'rasdaemon')).toEqual(['linux']);
    expect(consumers(SRAR, 'xen')).toEqual(['xen']);
    expect(consumers(SRAR, 'value')).toEqual(['linux', 'xen']);
    expect(consumers({ kind: 'arm-sea', esr: 0x92000010n }, 'linux')).toEqual(['linux']);
    expect(consumers({ kind: 'arm-sea', esr: 0x92000010n })).toEqual(['linux', 'kvm']);
    expect(consumers({ kind: 'arm-sea', esr: 0x92000010n, flags: 0n }, 'vmm')).toEqual(['vmm', 'linux']);
    expect(consumers({ kind: 'sigbus', code: 'BUS_MCEERR_AO' }, 'qemu')).toEqual(['qemu']);
    expect(consumers({ kind: 'cper', severity: 'fatal', blockStatus: 1, sections: [] }, 'ghes')).toEqual(['linux']);
  });

  it('has no answer of a consumer that cannot get the record', () => {
    expect(consumers({ kind: 'arm-sea', esr: 0xbe000c11n })).toEqual(['linux']);
  });

  it('groups inputs by their readers', () => {
    expect(readersOf('linux')).toBe(readersOf('mcelog'));
    expect(readersOf('value')).toBe(readersOf(undefined));
    expect(readersOf('xen')).not.toBe(readersOf('linux'));
  });
});

describe('the outlook in text', () => {
  const text = (raw: ConstructorParameters<typeof McaDecoded>[0]): string =>
    toText(new McaDecoded(raw, { input: '-', from: 'linux' }, []))
      .join(' ')
      .replaceAll(/\s+/g, ' ');

  it('gives rule and line to look for, and says once what holds for several states of the CPU', () => {
    const out = text(SRAR);
    expect(out).toContain('linux (exception, user): killed. Without a handler SIGBUS ends the process.');
    expect(out).toContain('[linux.sigbus.deadly] Prints: Memory failure: 0x…: Sending SIGBUS to <comm>:<pid>');
    expect(out).toContain('linux (exception, kernel, idle): panicked.');
    expect(out.match(/ outlook /g)).toHaveLength(2);
  });

  it('is not that of Linux for a whole UEFI record, which Linux never gets', () => {
    const said = (creatorId: string, severity: CperSeverity = 'corrected'): string => {
      const header = { revision: 0x101, creatorId, notificationType: '', recordId: 1n, flags: 0, persistenceInfo: 0n };
      const raw = { kind: 'cper', severity, header, sections: [] } as const;
      const record = new CperDecoded({ ...raw, sections: [] }, { input: '-', from: 'cper' }, []);
      expect(record.outlook).toEqual([]);
      return toText(record).join(' ').replaceAll(/\s+/g, ' ');
    };
    expect(said(CREATOR_WINDOWS)).toContain('outlook none here: Windows wrote the record');
    // A driver of Windows (cperguid.h of the WDK, DEVICE_DRIVER).
    expect(said('57217c8d-5e66-44fb-8033-9b74cacedf5b')).toContain('outlook none here: Windows wrote the record');
    expect(said(CREATOR_WINDOWS, 'fatal')).toContain('bug check 0x124');
    expect(said(CREATOR_WINDOWS, 'fatal')).not.toContain('BERT');
    expect(said('00000000-0000-0000-0000-000000000000')).toContain('a whole UEFI record (CPER) is what a BMC');
  });

  it('wants no reset for what the firmware found at its start', () => {
    const found = { ...SRAR, vendor: 'amd', status: 0xbea0000000000108n, within: 'start' } as const;
    const out = text(found);
    expect(out).toContain('when the machine started: it is of the boot before. The machine that runs needs no reset');
    expect(out).not.toMatch(/must be reset|outlook/);
  });

  it('says why it says nothing', () => {
    const { vendor: _, ...unknown } = SRAR;
    expect(text(unknown)).toContain('outlook not known without the CPU’s vendor');
    expect(text({ ...unknown, status: 0n })).not.toContain('outlook');
  });
});

describe('tellingMessage', () => {
  it.each([
    [['mce: [Hardware Error]: Machine check events logged', 'Kernel panic - not syncing: x'], /^Kernel panic/],
    [['Memory failure: 0x1234: recovery action for <page type>: Recovered'], /^Memory failure: 0x…: recovery/],
    [['Fatal machine check: MCE: Fatal error happened on CPUs 8'], /on CPUs …$/],
  ])('%j', (messages, line) => expect(tellingMessage(messages)).toMatch(line));
  it('is missing where no line tells anything', () => expect(tellingMessage(['Bank 0: 0'])).toBeUndefined());
});

describe('the schema', () => {
  it('lists every outcome', () => {
    const listed = JSON.stringify(JSON.parse(decodedSchema()));
    expect(listed).toContain(JSON.stringify(OUTLOOK_OUTCOMES));
  });
});
