/** What a terminal broke is put together; what only looks so is not lost, and costs no more than other lines. */
import { expect, test } from 'vitest';
import { decode } from './decoder.ts';

const rows = (line: string, width: number): string[] => line.match(new RegExp(`.{1,${width}}`, 'g')) ?? [];
const BLOCK = [
  '[ 1234.567890] mce: [Hardware Error]: CPU 2: Machine Check: 0 Bank 9: 8c00004000010091',
  '[ 1234.567891] mce: [Hardware Error]: TSC 0 ADDR 12345f000 MISC 200001c020002086 ',
  '[ 1234.567892] mce: [Hardware Error]: PROCESSOR 0:50654 TIME 1795167593 SOCKET 0 APIC 4 microcode 2006e05',
];
const broken = `${BLOCK.flatMap(line => rows(line, 80)).join('\n')}\n`;
/** The last register is behind the column at which the line was broken. */
const codes = (text: string): string[] => decode(text).diagnostics.map(d => d.code);

test('rows that were joined are told of, once', () => {
  expect(decode(broken).records.map(r => r.class)).toHaveLength(1);
  expect(codes(broken + broken)).toEqual(['W_TEXT_COLUMNS']);
  expect(codes(`${BLOCK.join('\n')}\n`)).toEqual([]);
});

test.each([
  ['lines of POWER', (i: number) => `MCE: CPU8${i}: machine check (Warning) Host SLB Multihit [Recovered]`],
  ['failures of pages in an old kernel', (i: number) => `MCE 0x91e${i}: recovery action for dirty LRU page: Recovered`],
  [
    'PCIe',
    (i: number) => `pcieport 0000:00:1${i}.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)`,
  ],
])('%s that are as wide as the terminal are read one by one', (_what, line) => {
  const lines = Array.from({ length: 8 }, (_, i) => line(i));
  const width = lines[0]?.length ?? 0;
  const alone = decode(`${lines.join('\n')}\n`).records.length;
  expect(alone).toBeGreaterThan(1);
  const usb = rows(`[    1.000000] ${'usb 1-1: new device '.repeat(12)}`, width);
  // More than is looked at before it is known how the lines were broken.
  const head = `${usb.join('\n')}\n`.repeat(400);
  expect(decode(`${head}${lines.join('\n')}\n`).records).toHaveLength(alone);
});

test('what stands behind the part that was broken is searched as fast as any log', () => {
  const clean = Array.from(
    { length: 60_000 },
    (_, i) =>
      `[${String(i).padStart(5)}.000000] EXT4-fs (sda1): mounted filesystem r/w with ordered data mode. Quota mode: none.\n`,
  ).join('');
  const cost = (text: string): number => {
    const bytes = new TextEncoder().encode(text);
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 4; i++) {
      const before = process.cpuUsage();
      decode(bytes);
      const { user, system } = process.cpuUsage(before);
      least = Math.min(least, user + system);
    }
    return least;
  };
  const head = `${broken.repeat(400)}`;
  expect(decode(head + clean).records).toHaveLength(400);
  const [alone, whole, before] = [cost(clean), cost(head + clean), cost(head)];
  // A log of which every line was read took a hundred times as long.
  expect((whole - before) / alone).toBeLessThan(12);
});
