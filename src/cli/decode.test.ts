import { spawnSync } from 'node:child_process';
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
    expect(syndrome(['encode', 'memory', 'nosuch=1']).status).toBe(3);
    expect(syndrome(['encode', 'NOSUCH']).status).toBe(2);
  });
});

describe('syndrome predict', () => {
  it('says what Linux does with a record, and by which rule', () => {
    const { out, status } = syndrome(['predict', 'uc-fatal', '--consumer', 'linux', '--json']);
    expect(status).toBe(0);
    const { predictions } = JSON.parse(out) as { predictions: { outcome: string }[] };
    expect(new Set(predictions.map(p => p.outcome))).toEqual(new Set(['panicked']));
    expect(syndrome(['predict', 'uc-fatal', '--set', 'nosuch=1']).status).toBe(2);
    expect(syndrome(['predict', 'uc-fatal', '--set', 'running=asleep']).status).toBe(2);
  });
});
