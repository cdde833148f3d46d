/** Records that stand in one input a second time, and look-alikes. */
import { describe, expect, it } from 'vitest';
import { createDecoder } from '../decode/decoder.ts';
import { recordOf } from '../decode/transfer.ts';
import { Retold } from './retold.ts';
import { Triage } from './triage.ts';
import type { TriageReport } from './triage.ts';
import { witnessOf } from './witness.ts';

function of(...lines: readonly string[]): TriageReport {
  const sums = new Triage();
  const decoder = createDecoder({ input: 'log', onRecord: record => sums.add(record) });
  decoder.push(new TextEncoder().encode(`${lines.join('\n')}\n`));
  decoder.end();
  return sums.report();
}
const incidents = (...lines: readonly string[]): number => of(...lines).incidents;
const SECOND_TIME = /stands? in the input a second time/;

const CE =
  'EDAC MC0: 3 CE memory read error on CPU_SrcID#0_MC#0_Chan#0_DIMM#1 (channel:0 slot:1 page:0x5 offset:0x40 grain:32 syndrome:0x0 -  err_code:0x0101:0x0090 socket:0 imc:0 rank:0 bg:1 ba:2 row:0x5 col:0x10)';
const OTHER = CE.replace('page:0x5', 'page:0x9');
const dmesg = (seconds: number, message: string): string => `[${seconds.toFixed(6)}] ${message}`;
const syslog = (time: string, message: string, stamp = ''): string => `Nov  3 ${time} host kernel: ${stamp}${message}`;

describe('the ring buffer of the kernel beside syslog', () => {
  it('is one log, by the stamp of the kernel', () => {
    const { bySeverity, remarks, parts } = of(dmesg(100, CE), syslog('12:00:00', CE, '[  100.000000] '));
    expect(bySeverity).toEqual({ corrected: { incidents: 1, errors: 3 } });
    expect(parts[0]?.bySeverity).toEqual(bySeverity);
    expect(remarks.join(' ')).toMatch(SECOND_TIME);
    expect(incidents(dmesg(100, CE), syslog('12:00:00', CE, '[  101.000000] '))).toBe(2);
  });

  it('is one where syslog has no stamp, as far as the distance of both clocks is one', () => {
    const all = [dmesg(100, CE), dmesg(400, CE), dmesg(700, OTHER)];
    const copies = [syslog('12:00:00', CE), syslog('12:05:00', CE), syslog('12:10:01', OTHER)];
    const { bySeverity, remarks } = of(...all, ...copies);
    expect(bySeverity.corrected?.incidents).toBe(3);
    expect(remarks.join(' ')).toMatch(
      /3 records stand in the input a second time: counted once, 1 of them by their words alone/,
    );
    // An hour later the same cell failed again.
    expect(incidents(...all, ...copies, syslog('13:10:01', OTHER))).toBe(4);
  });

  it('holds pointers too', () => {
    const logged = 'mce: [Hardware Error]: Machine check events logged';
    const { pointers } = of(dmesg(1, logged), syslog('12:00:00', logged, '[    1.000000] '));
    expect(pointers.map(p => p.lines)).toEqual([1]);
  });
});

describe('what syslogd writes to every terminal', () => {
  const abort = 'Internal error: synchronous external abort: 96000410 [#1] SMP';
  const broadcast = ['', 'Message from syslogd@host at Nov  3 12:00:00 ...'];

  it('is the line of the kernel again, before or behind it', () => {
    const console = dmesg(5, 'Unhandled fault: synchronous external abort (0x96000410) at 0xffffff80096c61b0');
    const copy = ` kernel:[    5.000100] ${abort}`;
    expect(incidents(console, dmesg(5.0001, abort), dmesg(5.0002, 'CPU: 0 PID: 1 Comm: x'), ...broadcast, copy)).toBe(
      1,
    );
    const { worst, incidents: count } = of(
      ...broadcast,
      copy,
      syslog('12:00:00', console.slice(11), '[    5.000000] '),
    );
    expect(count).toBe(1);
    // The abort, the oops that it became, and the line of the kernel again.
    expect(worst?.witnesses.map(w => w.joinedBy)).toEqual([undefined, 'report', 'copy']);
  });

  it('is it also without the stamp of the kernel', () => {
    const end = dmesg(5.0002, 'pc : ahci_scr_read+0x70/0x98');
    expect(incidents(dmesg(5, abort), end, ...broadcast, ` kernel:${abort}`)).toBe(1);
    expect(incidents(dmesg(5, abort), end, dmesg(900, abort))).toBe(2);
  });
});

describe('one entry of the log of a controller', () => {
  const ipmitool = (time: string, entry = '1f'): string =>
    `  ${entry} | 03/11/2020 | ${time} | Memory #0x08 | Uncorrectable ECC (DIMM6/CPU1) | Asserted`;
  const ipmiutil = (time: string, entry = '001f'): string =>
    `${entry} 03/11/20 ${time} MIN BMC Memory #08 Uncorrectable ECC, DIMM6/CPU1 6f [21 ff 10]`;

  it('is one by two tools, also where one of them gives the time of its zone', () => {
    expect(incidents(ipmitool('02:11:09'), ipmiutil('02:11:09'))).toBe(1);
    expect(incidents(ipmitool('02:11:09'), ipmiutil('04:11:09'))).toBe(1);
  });

  it('is another with another number or at another time', () => {
    expect(incidents(ipmitool('02:11:09'), ipmiutil('02:11:09', '0020'))).toBe(2);
    expect(incidents(ipmitool('02:11:09'), ipmiutil('02:19:09'))).toBe(2);
  });
});

describe('a machine check', () => {
  const block = (bank: number, tsc: string, status = 'be00000001010091'): string[] => [
    `mce: [Hardware Error]: CPU 18: Machine Check: 0 Bank ${bank}: ${status}`,
    `mce: [Hardware Error]: TSC ${tsc} ADDR 314d193000 MISC 200400c008002086 `,
    'mce: [Hardware Error]: PROCESSOR 0:50657 TIME 1605843017 SOCKET 1 APIC 40 microcode 5000021',
  ];

  it('is one, also where another of the same page stands between', () => {
    const [first, other] = [block(7, 'ae4b410af0b8'), block(9, 'ae4b410af0c0')];
    const two = incidents(...first, ...other);
    expect(incidents(...first, ...other, ...first)).toBe(two);
    expect(incidents(...first, ...other, ...block(7, 'ae4b410af0ff'))).toBe(two + 1);
  });

  it('is one by the decoder for AMD and as bare registers', () => {
    const raw = [
      'mce: [Hardware Error]: CPU 21: Machine Check: 0 Bank 5: bea0000000000108',
      'mce: [Hardware Error]: TSC 0 ADDR 1ffffc080cb3a MISC d012000100000000 SYND 4d000000 IPID 500b000000000 ',
      'mce: [Hardware Error]: PROCESSOR 2:a20f10 TIME 1664118033 SOCKET 0 APIC 5 microcode a201030',
    ].map(line => dmesg(0.5, line));
    const text = [
      '[Hardware Error]: System Fatal error.',
      '[Hardware Error]: CPU:21 (19:21:0) MC5_STATUS[-|UE|MiscV|AddrV|PCC|TCC|SyndV|-|-|-]: 0xbea0000000000108',
      '[Hardware Error]: Error Addr: 0x0001ffffc080cb3a',
      '[Hardware Error]: IPID: 0x000500b000000000, Syndrome: 0x000000004d000000',
    ].map(line => dmesg(0.51, line));
    expect(incidents(...raw, ...text)).toBe(1);
  });
});

describe('the trace event and the message of one driver', () => {
  it('are one error, in other words', () => {
    const row =
      '24 2026-11-03 12:00:00 +0000 3 Corrected error(s): memory read error at CPU_SrcID#0_MC#0_Chan#0_DIMM#1 location: 0:0:1:-1, addr 20544, grain 32, syndrome 0 err_code:0x0101:0x0090 socket:0 imc:0 rank:0 bg:1 ba:2 row:0x5 col:0x10';
    expect(of(dmesg(100, CE), 'Memory controller events:', row).bySeverity).toEqual({
      corrected: { incidents: 1, errors: 3 },
    });
  });
});

describe('a part of a log that was pasted again', () => {
  it('is known by the clock, which goes back', () => {
    const log = [dmesg(1, CE), dmesg(2, OTHER), dmesg(3, CE)];
    expect(incidents(...log, ...log.slice(0, 2))).toBe(3);
    expect(incidents(...log, dmesg(4, CE))).toBe(4);
  });
});

describe('a log of several machines', () => {
  it('has errors of each in one second, also where their clocks are not one', () => {
    const of2 = (host: string, time: string): string => syslog(time, CE).replace(' host ', ` ${host} `);
    expect(incidents(of2('db1', '12:00:02'), of2('db2', '12:00:01'), of2('db1', '12:00:02'))).toBe(3);
    const second = [of2('db1', '12:00:02'), of2('db2', '12:00:02')];
    expect(incidents(...second)).toBe(2);
    // What was pasted again is of each again.
    expect(incidents(...second, of2('db1', '12:00:09'), of2('db2', '12:00:09'), ...second)).toBe(4);
  });
});

describe('the hour that the end of summer time doubles', () => {
  const twice = (hour: string, stamps = ['', '']): string[] =>
    stamps.flatMap(stamp => [syslog(`${hour}:10:00`, CE, stamp), syslog(`${hour}:50:00`, OTHER, stamp)]);

  it('holds events of two hours', () => {
    const { incidents: count, remarks } = of(...twice('02'));
    expect(count).toBe(4);
    expect(remarks.join(' ')).toMatch(/2 of the records may be copies, or of an hour that summer time doubled/);
    expect(incidents(...twice('02', ['[  100.000000] ', '[ 3700.000000] ']))).toBe(4);
  });

  it('is none where a clock without summer time says the same, nor at noon', () => {
    expect(incidents(...twice('02', ['[  100.000000] ', '[  100.000000] ']))).toBe(2);
    expect(incidents(...twice('12'))).toBe(2);
  });
});

describe('the distance of two clocks', () => {
  const all = [dmesg(100, CE), dmesg(400, CE), dmesg(700, OTHER), dmesg(990, CE)];

  it('is not that of the first pair that looks alike: the log of one of them may begin later', () => {
    const late = [syslog('12:05:00', CE), syslog('12:10:00', OTHER), syslog('12:14:50', CE)];
    expect(incidents(...all, ...late)).toBe(4);
    expect(incidents(...all, ...late, syslog('12:20:00', OTHER))).toBe(5);
  });

  it('is another after each start of the machine', () => {
    const next = [dmesg(5, OTHER), dmesg(65, CE), dmesg(125, OTHER), dmesg(185, CE)];
    const syslogs = ['12:00:00', '12:05:00', '12:10:00', '12:14:50', '13:00:00', '13:01:00', '13:02:00', '13:03:00'];
    const copies = [CE, CE, OTHER, CE, OTHER, CE, OTHER, CE].map((line, i) => syslog(syslogs[i] ?? '', line));
    // Two of the second start have to agree before they are believed.
    expect(incidents(...all, ...next, ...copies)).toBe(10);
  });
});

describe('an entry of a controller', () => {
  it('is another where it is of another kind, also with the number and time of one', () => {
    const entry = (what: string): string =>
      `  1f | 03/11/2020 | 02:11:09 | Memory #0x08 | ${what} (DIMM6/CPU1) | Asserted`;
    expect(incidents(entry('Uncorrectable ECC'), entry('Uncorrectable ECC'))).toBe(1);
    expect(incidents(entry('Uncorrectable ECC'), entry('Correctable ECC'))).toBe(2);
  });
});

describe('a storm', () => {
  /** Records of mcelog, without a time before them: each is looked for among those before. */
  function cpuTime(records: number, addr: (n: number) => bigint): number {
    const witnesses = Array.from({ length: records }, (_, n) =>
      witnessOf(
        recordOf({
          raw: {
            kind: 'x86-mca',
            vendor: 'intel',
            bank: 7,
            cpu: 0,
            status: 0x8c00_0040_0001_0090n,
            addr: addr(n),
            time: BigInt(1_700_000_000 + (n >> 4)),
          },
          source: { input: 'log', from: 'mcelog', firstLine: n * 7 + 1 },
        }),
      ),
    );
    let best = Number.POSITIVE_INFINITY;
    for (let run = 0; run < 5; run++) {
      const retold = new Retold();
      const begin = process.cpuUsage();
      const copies = witnesses.filter((witness, i) => retold.of(witness, i + 1) !== undefined);
      const { user, system } = process.cpuUsage(begin);
      expect(copies).toEqual([]);
      best = Math.min(best, user + system);
    }
    return best;
  }
  const hex = (value: number): string => value.toString(16);

  it('costs a record no more the longer it is: of many pages, and of one cell', { timeout: 120_000 }, () => {
    for (const address of [(n: number) => BigInt(n * 4096 + 64), () => 0x5040n]) {
      const [few, many] = [cpuTime(2048, address), cpuTime(16_384, address)];
      // Eight times as many; each looked for among all before it would be 64 times.
      expect(many / few).toBeLessThan(8 * 4);
    }
  });

  it('that two programs tell is one of each record', () => {
    const kernel = (n: number): string => dmesg(100 + (n >> 3), CE.replace('page:0x5', `page:0x${hex(5 + (n % 3))}`));
    const lines = Array.from({ length: 400 }, (_, n) => kernel(n));
    const copies = lines.map((line, n) =>
      syslog(
        `12:${String(10 + Math.floor((n >> 3) / 60)).padStart(2, '0')}:${String((n >> 3) % 60).padStart(2, '0')}`,
        line.slice(line.indexOf('EDAC')),
        line.slice(0, line.indexOf('EDAC')),
      ),
    );
    expect(incidents(...lines, ...copies)).toBe(400);
    // One of a moment that the other log has not.
    expect(incidents(...lines, ...copies, syslog('12:30:00', CE, '[ 1300.000000] '))).toBe(401);
  });
});
