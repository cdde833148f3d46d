import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkAllWires, checkWires } from '../scripts/wires.ts';

const LAB = 'packages/lab/src/x.ts';

describe('one reader a wire', () => {
  test('the sources hold it', () => {
    expect(checkAllWires(join(import.meta.dirname, '..'))).toEqual([]);
  });

  test.each([
    'const PANIC = /^Kernel panic - not syncing/;',
    'if (/\\[Hardware Error\\]: CPU/.test(line)) return;',
    'const LINES = [\n  /^\\(XEN\\) /,\n];',
    'return /recovery action for (.*)/.exec(text);',
    "const isXen = line.startsWith('(XEN)');",
    'lines.some(line => line.includes("unhandled exception: "))',
    'const level = /\\bCPL=([0-3])\\b/.exec(text)?.[1];',
    "const [, pfn] = text.split('recovery action for ');",
    'const MEMDEV = /cxl_dram: memdev=(\\S+)/;',
    'const WHY = new RegExp(`^Kernel panic - not syncing: ${WORD}`);',
    "const FLAGS = new RegExp(\n  'recovery action for \\\\w+',\n  'g',\n);",
    'const MC = new RegExp(String.raw`\\bEDAC MC\\d+`);',
  ])('finds %s', source => {
    expect(checkWires(LAB, `${source}\n`)).toMatchObject([{ file: LAB }]);
    expect(checkWires('packages/decode/src/text/linux/x.ts', source)).toEqual([]);
    expect(checkWires('packages/lab/src/x.test.ts', source)).toEqual([]);
  });

  test('lets words of our own, comments and signal names be', () => {
    for (const source of [
      "note('the guest told of a Kernel panic');",
      '// /^Kernel panic/ is what the reader looks for',
      "if (codename.startsWith('BUS_MCEERR_')) return;",
      'const half = a / b; const part = "Kernel panic" + c / d;',
    ])
      expect(checkWires(LAB, source)).toEqual([]);
  });
});
