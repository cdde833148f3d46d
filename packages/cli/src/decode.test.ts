import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const MAIN = join(import.meta.dirname, 'main.ts');

function syndrome(args: readonly string[], input = ''): { status: number | null; out: string; err: string } {
  const run = spawnSync(process.execPath, [MAIN, ...args], {
    input,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { status: run.status, out: run.stdout, err: run.stderr };
}

describe('syndrome decode', () => {
  let dir = '';
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'syndrome-decode-'));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('takes values from the command line', () => {
    const { status, out } = syndrome(['decode', '0xbd80000000000134', '--vendor', 'intel', '--json']);
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      schemaVersion: 1,
      source: { input: 'argument', from: 'value', firstLine: 1, lastLine: 1 },
      kind: 'x86-mca',
      class: 'SRAR',
      registers: { status: '0xbd80000000000134' },
    });
  });

  describe('of many records says what they come to', () => {
    const line = (i: number): string =>
      `[${i}.000000] EDAC MC0: 10 CE memory read error on DIMM_A${i % 2} (channel:0 slot:0 page:0x${(i + 16).toString(16)} offset:0x40 grain:32 syndrome:0x0)\n`;
    const log = (n: number): string => Array.from({ length: n }, (_, i) => line(i)).join('');
    const heads = (out: string): number => out.split('\n').filter(l => l.startsWith('Memory controller driver')).length;

    it('above 20 of a file, the answer first and one record whole', () => {
      const file = join(dir, 'many.log');
      writeFileSync(file, log(21));
      const { status, out } = syndrome(['decode', file]);
      expect(status).toBe(0);
      expect(out).toMatch(
        /^worst: 10 errors, corrected \(line 1\) → plan to replace DIMM_A0: 110 corrected errors within a\s+minute\n/,
      );
      expect(out).toContain('21 records: 210 corrected in 21 reports');
      expect(heads(out)).toBe(1);
      for (const option of ['--full', '--in-order', '--table']) {
        expect(heads(syndrome(['decode', option, file]).out)).toBe(21);
      }
      expect(syndrome(['decode', '--in-order', file]).out).toMatch(/21 records: 210 corrected in 21 reports\n$/);
      expect(syndrome(['decode', '--json', file]).out.trim().split('\n')).toHaveLength(21);
    });

    it('20 of a file are shown one by one behind the answer, unless it is asked for', () => {
      const file = join(dir, 'few.log');
      writeFileSync(file, log(20));
      const { out } = syndrome(['decode', file]);
      expect([heads(out), out.startsWith('worst: ')]).toEqual([20, true]);
      expect(syndrome(['decode', '--triage', file]).out).toMatch(/^worst: /);
      expect(syndrome(['decode', '--brief', file]).out).toContain('20 records: 200 corrected in 20 reports');
    });

    it('of one what is to be done for its count', () => {
      const file = join(dir, 'one.log');
      writeFileSync(file, log(1).replace(/ \d+ CE /, ' 16462 CE '));
      const { out } = syndrome(['decode', file]);
      expect(out).toMatch(/next step {4}Plan to replace \S+: 16,462 corrected errors in this input\./);
      expect([heads(out), out.includes('worst: ')]).toEqual([1, false]);
    });

    it('of one line that points to another record what it says', () => {
      const file = join(dir, 'pointer.log');
      writeFileSync(file, 'mce: [Hardware Error]: Machine check events logged\n');
      expect(syndrome(['decode', file]).out).toMatch(/^Linux logged a machine check; this line only says so\n/);
    });

    it('a pipe stays in order and ends with it', () => {
      for (const n of [2, 21]) {
        const { out } = syndrome(['decode'], log(n));
        expect(heads(out)).toBe(n);
        expect(out.indexOf('worst: ')).toBeGreaterThan(out.lastIndexOf('\nMemory controller driver'));
      }
      expect(syndrome(['decode'], log(1)).out).not.toContain('worst: ');
    });

    it('of few the worst first, and behind it what else tells of the same error', () => {
      const file = join(dir, 'incidents.log');
      const worst = [
        '[30.000000] Memory failure: 0x99: recovery action for dirty LRU page: Failed\n',
        '[30.100000] Memory failure: 0x99: Sending SIGBUS to mysqld:812 due to hardware memory corruption\n',
      ];
      writeFileSync(file, [line(1), ...worst, line(2)].join(''));
      const firsts = (out: string): string[] =>
        out.split('\n\n').flatMap(p => /^(?:Memory c|Linux )[^:]*/.exec(p) ?? []);
      const { out } = syndrome(['decode', file]);
      expect(out).toMatch(
        /^worst: uncorrected, page still in use, SIGBUS to mysqld:812 \(lines 2-3\) → restart the machine\s+soon/,
      );
      expect(firsts(out)).toEqual([
        'Linux dealt with a bad page',
        'Linux sends SIGBUS because of a bad page',
        'Memory controller driver',
        'Memory controller driver',
      ]);
      expect(out).toContain('next step    Restart the machine soon: whoever touches the page next takes a machine');
      expect(firsts(syndrome(['decode', '--in-order', file]).out)).toEqual([
        'Memory controller driver',
        'Linux dealt with a bad page',
        'Linux sends SIGBUS because of a bad page',
        'Memory controller driver',
      ]);
    });

    it('values that were typed stay as they are meant', () => {
      const { out } = syndrome(['decode', '0x9c000000000000c0', '0xbd80000000000134', '--vendor', 'intel']);
      expect(out).toMatch(/^Intel machine check, corrected/);
      expect(out).not.toContain('worst: ');
    });

    it('as one object', () => {
      const { out } = syndrome(['decode', '--triage', '--json'], log(3));
      expect(out.trim().split('\n')).toHaveLength(1);
      expect(JSON.parse(out)).toMatchObject({
        schemaVersion: 1,
        records: 3,
        bySeverity: { corrected: { incidents: 3, errors: 30 } },
        parts: [{ name: 'DIMM_A0' }, { name: 'DIMM_A1' }],
      });
    });

    it('as Markdown', () => {
      const { status, out } = syndrome(['decode', '--ticket'], log(3));
      expect(status).toBe(0);
      expect(out).toMatch(/^## Hardware errors: 30 corrected in 3 reports\n/);
      expect(syndrome(['decode', '--ticket', '--json'], log(3)).status).toBe(2);
    });

    it('not together with what shows each record', () => {
      for (const option of ['--raw', '--brief', '--full', '--table', '--in-order']) {
        expect(syndrome(['decode', '--triage', option], log(3))).toMatchObject({
          status: 2,
          err: expect.stringContaining(`--triage and ${option} exclude each other`) as string,
        });
      }
    });
  });

  it('takes several values, and files, and stdin', () => {
    const file = join(dir, 'log');
    writeFileSync(file, 'mce: [Hardware Error]: CPU 3: Machine Check: 0 Bank 9: 9c000000000000c0\n');
    expect(syndrome(['decode', '--raw', '0xbd80000000000134', '0xbd000000000000c0']).out).toBe(
      'status=0xbd80000000000134\nstatus=0xbd000000000000c0\n',
    );
    expect(syndrome(['decode', '--raw', file]).out).toBe(
      'cpu=3 status=0x9c000000000000c0 mcgStatus=0x0000000000000000 bank=9\n',
    );
    const piped = syndrome(['decode', '--raw'], 'mce 0 1 0x8000000000000000 0 0 0\n');
    expect(piped.out).toMatch(/^cpu=0 status=0x8000000000000000 .* bank=1\n$/);
  });

  it('takes an argument longer than a file name, and values as people have them', () => {
    const block = syndrome(['encode', 'memory', 'physicalAddress=0x50000000']).out.trim();
    expect(block.length).toBeGreaterThan(200);
    for (const long of [block, `${block}${'\n'.repeat(300)}`]) {
      const { status, out } = syndrome(['decode', long]);
      expect([status, out.split('\n')[0]]).toEqual([0, expect.stringContaining('memory error at 0x0000000050000000')]);
    }
    expect(syndrome(['decode', 'a'.repeat(300)])).toMatchObject({
      status: 2,
      err: expect.stringContaining('values are') as string,
    });
    const raw = (...words: string[]): string => syndrome(['decode', '--raw', ...words]).out;
    expect(raw('--esr', '0x92000410', 'far=0x1000')).toBe(raw('esr=0x92000410', 'far=0x1000'));
    expect(raw('0xbd80000000000134', '--vendor', 'intel', 'mcgstatus=7', 'addr=0x1000')).toBe(
      raw('status=0xbd80000000000134', 'vendor=intel', 'mcgstatus=7', 'addr=0x1000'),
    );
    expect(raw('be000000`00800400')).toBe('status=0xbe00000000800400\n');
    expect(raw('0xbd80000000000134,', '0xbe00000000800400,')).toBe(
      'status=0xbd80000000000134\nstatus=0xbe00000000800400\n',
    );
  });

  it('names no bank that the input does not name', () => {
    const lone = JSON.parse(syndrome(['decode', '--json', '0xbd80000000000134']).out);
    expect(lone).not.toHaveProperty('bank');
    expect(lone.raw).toStrictEqual({ kind: 'x86-mca', status: '0xbd80000000000134' });
    const named = JSON.parse(syndrome(['decode', '--json', 'status=0xbd80000000000134 bank=0']).out);
    expect([named.bank, named.raw.bank]).toStrictEqual([0, 0]);
  });

  it('takes the vendor from a CPUID, in hex with 0x and without', () => {
    const vendor = (...args: string[]): unknown => {
      const { out } = syndrome(['decode', '--json', '0xbd80000000000134', ...args]);
      const { raw, lint } = JSON.parse(out) as { raw: { vendor?: string; cpuid: string }; lint: { code: string }[] };
      return [raw.vendor, raw.cpuid, lint.some(l => l.code === 'L_MCA_VENDOR_CPUID')];
    };
    expect(vendor('--cpuid', '50654')).toEqual(['intel', '0x0000000000050654', false]);
    expect(vendor('--cpuid', '0xa20f10')).toEqual(['amd', '0x0000000000a20f10', false]);
    expect(vendor('--cpuid', 'f43')).toEqual([undefined, '0x0000000000000f43', false]);
    expect(vendor('--cpuid', '50654', '--vendor', 'amd')).toEqual(['amd', '0x0000000000050654', true]);
  });

  it('says what matters first, and is as wide as the terminal', () => {
    const args = ['decode', 'status=0xdc2040000400011b addr=0x7ff7e93c0 ipid=0x9600050f00 vendor=amd bank=17'];
    const { out } = syndrome(args);
    const at = [
      'AMD machine check',
      'bank 17',
      'severity',
      'error code',
      'Corrected error:',
      'lint',
      'next step',
      'outlook',
    ];
    const places = [...at, '  MCi_STATUS '].map(text => out.indexOf(text));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places).not.toContain(-1);
    for (const [columns, widest] of [
      ['48', 48],
      ['1', 48],
      ['200', 100],
      ['x', 100],
    ] as const) {
      const run = spawnSync(process.execPath, [MAIN, ...args], {
        encoding: 'utf8',
        env: { ...process.env, NO_COLOR: '1', COLUMNS: columns },
      });
      const lines = run.stdout.split('\n');
      // A word longer than a line stands alone.
      expect(lines.filter(line => line.length > widest && line.trim().includes('  '))).toEqual([]);
      expect(Math.max(...lines.map(line => line.length))).toBeGreaterThan(widest - 10);
    }
  });

  it('gives one form of output at a time, and events as JSON in --raw', () => {
    for (const forms of [
      ['--json', '--raw'],
      ['--table', '--json'],
      ['--brief', '--raw'],
    ]) {
      const { status, err } = syndrome(['decode', '0xbd80000000000134', ...forms]);
      expect(status).toBe(2);
      expect(err).toContain('exclude each other [E_USAGE]');
    }
    const event =
      '{"timestamp": {"seconds": 1, "microseconds": 0}, "event": "MEMORY_FAILURE", "data": {"recipient": "guest", "action": "inject", "flags": {"recursive": false, "action-required": true}}}\n';
    const { out } = syndrome(['decode', '--raw'], event);
    expect(JSON.parse(out)).toMatchObject({ kind: 'event', name: 'qemu-memory-failure', fields: { action: 'inject' } });
  });

  it('writes once what records have in common, and everything with --full', () => {
    const block = (page: number, second: number): string =>
      [
        'CPU 3: Machine Check: 0 Bank 7: 8c00004000010090',
        `TSC 0 ADDR ${page.toString(16)}000 MISC 8c`,
        `PROCESSOR 0:50654 TIME ${1_700_000_000 + second} SOCKET 0 APIC 6 microcode 1`,
      ]
        .map(line => `[    ${second}.000000] mce: [Hardware Error]: ${line}\n`)
        .join('');
    const bad = (page: number): string => `Memory failure: 0x${page}: recovery action for dirty LRU page: Recovered\n`;
    const log = `${block(0x91e1, 1)}${block(0x91e2, 2)}${bad(71)}${bad(72)}${block(0x91e3, 3)}`;
    const parts = (...args: string[]): string[] => syndrome(['decode', ...args], log).out.split(/\n\n(?=\w)/);
    const [first, second, event, again, third] = parts();
    expect([second, again, third]).toEqual([
      [
        'Intel machine check, corrected: an error of a memory read on channel 0',
        '  2023-11-14T22:13:22Z, CPU 3, bank 7, socket 0',
        '  -:4-6 (linux)',
        '  address      0x00000000091e2000 (physical, page frame 0x91e2, 4 KiB)',
        '  the rest     same as -:1-3 (linux)',
        '  registers    status=0x8c00004000010090 mcgStatus=0x0000000000000000 addr=0x00000000091e2000',
        '               misc=0x000000000000008c tsc=0x0000000000000000 cpuid=0x0000000000050654',
        '               apicId=0x0000000000000006 microcode=0x0000000000000001',
      ].join('\n'),
      [
        'Linux dealt with a bad page: page frame 0x72, dirty LRU page, result Recovered',
        '  -:8 (linux)',
        '  address      0x0000000000072000 (physical, page frame 0x72, 4 KiB)',
        '  the rest     same as -:7 (linux)',
        '',
        '  pfn          0x0000000000000072',
      ].join('\n'),
      expect.stringContaining('same as -:1-3') as string,
    ]);
    const whole = parts('--full');
    expect([whole[0], whole[2]]).toEqual([first, event]);
    expect(whole[1]).toBe(first?.replaceAll('91e1', '91e2').replace(':21Z', ':22Z').replace('-:1-3', '-:4-6'));
    expect(parts('--table').join('')).not.toContain('the rest');
  });

  it('lets no control character of a log through', () => {
    const log = 'Memory failure: 0x91ee: recovery action for \u001b[31mdirty\u0007 LRU\u009b page: Recovered\n';
    for (const args of [['decode'], ['decode', '--raw'], ['decode', '--json']]) {
      const { out } = syndrome(args, log);
      expect(out).toContain('91ee');
      expect(out).toMatch(/^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f]*$/);
    }
  });

  it('says so when there is nothing, and refuses wrong options', () => {
    const nothing = syndrome(['decode', '-'], 'all is well\n');
    expect(nothing).toMatchObject({ status: 4, out: '' });
    expect(nothing.err).toContain('no error record found');
    expect(nothing.err).not.toContain('values are');
    expect(syndrome(['decode'], 'Machine Check: the film\n').err).toContain(
      '- looks like a log because of `Machine Check`, but none of its lines could be read',
    );
    expect(syndrome(['decode', 'nothing', 'known']).err).toContain('values are a lone 0x…');
    expect(syndrome(['decode', '--vendor', 'acme', '0xbd80000000000134']).status).toBe(2);
    expect(syndrome(['decode', '--explain', 'NO_SUCH_CODE']).status).toBe(2);
    expect(syndrome(['decode', '--section', 'nothing', '00']).status).toBe(2);
  });

  it('explains codes and prints its schema', () => {
    expect(syndrome(['decode', '--explain', 'W_TEXT_SPLIT']).out).toContain('mcelog');
    expect(JSON.parse(syndrome(['decode', '--schema']).out)).toMatchObject({ title: 'Decoded memory error record' });
  });
});

describe('syndrome encode', () => {
  it('gives back what decode reads', () => {
    const { out } = syndrome(['encode', 'srao', '--addr', '0x1234000', '--json']);
    const made = JSON.parse(out) as { command: string; status: string };
    expect(made).toMatchObject({ status: '0xbd000000000000c0', addr: '0x0000000001234000', bank: 9 });
    const again = JSON.parse(syndrome(['decode', made.command, '--vendor', 'intel', '--json']).out) as object;
    expect(again).toMatchObject({ class: 'SRAO', address: { value: '0x0000000001234000', pfn: '0x0000000000001234' } });
  });

  it('makes firmware records', () => {
    const { out } = syndrome(['encode', 'memory', 'physicalAddress=0x50000000', 'errorType=3', '--base64']);
    expect(JSON.parse(syndrome(['decode', '--json'], out).out)).toMatchObject({
      kind: 'cper',
      class: 'recoverable',
      address: { value: '0x0000000050000000' },
    });
    expect(syndrome(['encode', 'memory', 'nosuch=1']).status).toBe(2);
    expect(syndrome(['encode', 'NOSUCH']).status).toBe(2);
  });
});

describe('syndrome encode, AMD and Arm', () => {
  it('keeps within 100 columns, but for a command that is too long, which stands alone', () => {
    const lines = (...args: string[]): string[] =>
      syndrome(['encode', ...args])
        .out.split('\n')
        .filter(l => l.length > 100);
    expect(lines('srao', '--addr', '0x1234000')).toEqual([]);
    const long = ['VAL', '--vendor', 'amd', '--ipid', '0x9600000000', '--synd', '0x1f', '--addr', '0xfffffffff000'];
    expect(lines(...long)).toEqual([expect.stringMatching(/^syndrome decode vendor=amd .* ipid=0x9600000000$/)]);
  });

  it('puts MCA_SYND and MCA_IPID beside the status', () => {
    const args = ['encode', 'VAL', 'UC', 'EN', 'POISON', '--vendor', 'amd', '--ipid', 'umc', '--synd', '0x1f'];
    const made = JSON.parse(syndrome([...args, '--addr', '0x1234000', '--misc', '0', '--json']).out) as object;
    expect(made).toMatchObject({
      vendor: 'amd',
      status: '0xbc20080000000000',
      misc: '0x0000000000000000',
      synd: '0x000000000000001f',
      ipid: '0x0000009600000000',
    });
    const line = syndrome([...args, '--addr', '0x1234000']).out.match(/syndrome (decode .*)/)?.[1] ?? '';
    const again = JSON.parse(syndrome([...line.split(' '), '--json']).out) as object;
    expect(again).toMatchObject({ component: { area: 'memory' }, registers: { ipid: '0x0000009600000000' } });
  });

  it.each([
    [['ce', '--synd', '1'], 'add --vendor amd'],
    [['amd-deferred', '--ipid', 'NOSUCH'], 'UMC'],
    [['uc-fatal', '--addr', '0x1000'], 'has no address'],
    [['sea', 'sideways'], 'walk=-1 to 3'],
    [['sea', '--gpa', '0x1000'], 'sea guest'],
    [['serror', 'uer', '--addr', '1'], 'no address'],
    [['sea', '--synd', '1'], 'means nothing'],
    [['memory', '--bank', '1'], 'means nothing'],
  ])('refuses %j', (args, why) => {
    const { status, out, err } = syndrome(['encode', ...args]);
    expect(out).toBe('');
    expect(err).toContain(why);
    expect([2, 3]).toContain(status);
  });

  it('takes words for a syndrome, and gives the exit that KVM makes of it', () => {
    expect(syndrome(['encode', 'srar', 'data']).out).toContain('0xbd80000000000134');
    const { out } = syndrome(['encode', 'sea', 'guest', 'ueo', '--addr', '0x5000', '--gpa', '0x40001000', '--json']);
    expect(JSON.parse(out)).toMatchObject({
      esr: '0x0000000092001810',
      flags: '0x0000000000000001',
      gva: '0x0000000000005000',
      gpa: '0x0000000040001000',
      exit: expect.stringMatching(/^0100000000000000101800920000000000500000/) as string,
    });
  });
});

describe('syndrome encode --from-json', () => {
  it('gives the bytes back that decode took apart', () => {
    const hex = syndrome(['encode', 'memory', 'physicalAddress=0x50000000', 'errorType=3', '--record']).out;
    const json = syndrome(['decode', '--json'], hex).out;
    expect(syndrome(['encode', '--from-json', '-'], json).out).toBe(hex);
    const { raw } = JSON.parse(json) as { raw: object };
    expect(syndrome(['encode', '--from-json', '-'], JSON.stringify(raw, undefined, 2)).out).toBe(hex);
  });

  it('takes a body, and registers', () => {
    const body = syndrome(['encode', '--from-json', '-'], '{"kind":"memory","errorType":3}').out;
    expect(body).toBe(syndrome(['encode', 'memory', 'errorType=3']).out);
    const mca = syndrome(['decode', '--json', '--vendor', 'intel', '0xbd80000000000134']).out;
    expect(syndrome(['encode', '--from-json', '-'], mca).out).toContain('MCi_STATUS  0xbd80000000000134');
  });

  it.each([
    ['', 'holds no record'],
    ['{', 'not JSON'],
    ['[1]', 'not an object'],
    ['{"kind":"event"}', 'no record that can be made'],
    ['{"kind":"cper","severity":"fatal","sections":5}', 'sections: not a list'],
    ['{"kind":"cper","severity":"terrible","sections":[]}', 'no severity terrible'],
    ['{"kind":"memory","errorType":"three"}', 'errorType does not fit'],
    ['{"kind":"memory","physicalAddress":1e300}', 'physicalAddress: not a 64-bit value'],
    ['{"kind":"x86-mca","bank":1}', 'no record that can be made'],
  ])('says what is wrong with %s', (text, why) => {
    const { status, out, err } = syndrome(['encode', '--from-json', '-'], text);
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(err).toContain(why);
    expect(err).not.toMatch(/(.{12,}): \1/);
  });
});

describe('a log that goes on', () => {
  it('is decoded while it comes, and Ctrl-C ends it', async () => {
    const child = spawn(process.execPath, [MAIN, 'decode', '--brief', '-'], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.write('[    1.000000] Memory failure: 0x12345: recovery action for dirty LRU page: Recovered\n');
    const [first] = (await once(child.stdout, 'data')) as [Buffer];
    expect(first.toString()).toMatch(/^-:1 {2}0x0000000012345000 /);
    child.kill('SIGINT');
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    expect([code, signal]).toContainEqual(code === null ? 'SIGINT' : 130);
  }, 30_000);
});

describe('syndrome predict', () => {
  it('says what Linux does with a record, and by which rule', () => {
    const { out, status } = syndrome(['predict', 'uc-fatal', '--consumer', 'linux', '--json']);
    expect(status).toBe(0);
    const { predictions } = JSON.parse(out) as { predictions: { outcome: string }[] };
    expect(new Set(predictions.map(p => p.outcome))).toEqual(new Set(['panicked']));
    expect(syndrome(['predict', 'uc-fatal', '--set', 'nosuch=1']).status).toBe(2);
    const lone = syndrome(['predict', '0xbd80000000000134', '--vendor', 'intel', '--consumer', 'linux']).out;
    expect(lone).toContain('Machine Check Exception: 7 Bank <bank>: bd80000000000134');
    expect(lone).not.toContain('Bank 0');
    expect(syndrome(['predict', 'uc-fatal', '--set', 'running=asleep']).status).toBe(2);
  });
});
