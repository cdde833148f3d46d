import { describe, expect, it } from 'vitest';
import { createDecoder } from './decoder.ts';
import { BriefWriter } from './to-brief.ts';

const SCRUB = (cpu: number, page: string): string =>
  `mce: [Hardware Error]: CPU ${cpu}: Machine Check: 0 Bank 7: 8c000040000100c0\n` +
  `mce: [Hardware Error]: TSC 1 ADDR ${page}000 MISC 86 \n` +
  `mce: [Hardware Error]: PROCESSOR 0:50654 TIME 1795167593 SOCKET 0 APIC 0 microcode 2006e05\n`;

function brief(text: string): { lines: string[]; summary: string[] } {
  const writer = new BriefWriter();
  const lines: string[] = [];
  const decoder = createDecoder({ input: 'a.log', onRecord: r => lines.push(writer.line(r)) });
  decoder.push(text);
  decoder.end();
  return { lines, summary: writer.summary() };
}

describe('brief', () => {
  it('gives a line for each record and counts severities and pages', () => {
    const { lines, summary } = brief(SCRUB(1, '12345') + SCRUB(2, '777') + SCRUB(3, '12345'));
    expect(lines.map(l => l.replace(/(?<=\d {2})\D.*(?= \()/, '…'))).toEqual([
      'a.log:1  0x0000000012345000  … (CPU 1, bank 7) [socket 0, controller 0, channel 0; 2026-11-20T09:39:53Z]',
      'a.log:4  0x0000000000777000  … (CPU 2, bank 7) [socket 0, controller 0, channel 0; 2026-11-20T09:39:53Z]',
      'a.log:7  0x0000000012345000  … (CPU 3, bank 7) [socket 0, controller 0, channel 0; 2026-11-20T09:39:53Z]',
    ]);
    expect(summary[0]).toMatch(/^3 records: 3 \S+$/);
    expect(summary[1]).toBe('2 pages; more than once: 0x12345 ×2');
  });

  it('keeps the columns where there is no address, and names what cannot be real', () => {
    const { lines } = brief('mce: [Hardware Error]: CPU 0: Machine Check: 0 Bank 9: 9c00180000000000\nvendor=amd\n');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^a\.log:1 {22}\S/);
    const amd = brief('status=0x9c00180000000000 addr=0x87ee000 vendor=amd bank=9').lines;
    expect(amd[0]).toMatch(/^a\.log:1 {2}0x00000000087ee000 {2}AMD.* ! L_MCA_DEFERRED_WITH_POISON/);
  });

  it('counts one page as one', () => {
    expect(brief(SCRUB(1, '12345') + SCRUB(3, '12345')).summary[1]).toBe('1 page; more than once: 0x12345 ×2');
  });

  it('names the pages met most often, and stops at eight', () => {
    const pages = Array.from({ length: 12 }, (_, i) => [i + 1, i + 1]).flat();
    const { summary } = brief([...pages, 3].map(p => SCRUB(0, p.toString(16))).join(''));
    expect(summary[1]).toMatch(/^12 pages; more than once: 0x3 ×3, (?:0x\w+ ×2, ){7}and 4 more$/);
  });
});
