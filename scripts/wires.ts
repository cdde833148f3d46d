/** The rule that each wire has one reader: only the room `text` and the clients of QEMU know how a kernel, Xen or QEMU words a line. */
import { globSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { LINUX_NEEDLES } from '@syndrome/decode/text/linux/needles.ts';
import { TRACE_NEEDLES } from '@syndrome/decode/text/linux/trace-events.ts';
import { QEMU_NEEDLES } from '@syndrome/decode/text/qemu/qemu-reader.ts';
import { TOOLS } from '@syndrome/decode/text/tools/registry.ts';
import { XEN_NEEDLES } from '@syndrome/decode/text/xen/xen-reader.ts';
import { blank } from './imports.ts';
import type { Violation } from './imports.ts';
import { SOURCES } from './rooms.ts';

/**
 * Where lines are read: the readers and the clients. The catalogue tells events apart by words in their fields, and the outlook
 * writes the lines that it foresees.
 */
const READERS = [
  'packages/decode/src/text/',
  'packages/qemu/src/',
  'packages/decode/src/events/',
  'packages/decode/src/outlook/',
];
/** Words that only such lines have: those by which decode finds them, and what else they are known by. */
const WORDS: readonly string[] = [
  ...[...LINUX_NEEDLES, ...TRACE_NEEDLES, ...XEN_NEEDLES, ...QEMU_NEEDLES, ...TOOLS.flatMap(tool => tool.needles)].map(
    word => word.trim(),
  ),
  '(XEN)',
  'Hardware Error',
  'Machine Check',
  'machine check',
  'mce:',
  'MCE:',
  'EDAC',
  'SIGBUS',
  'recovery action',
  'events logged',
  'triple fault',
  'internal error',
  'Call Trace',
  'CPL=',
  'HLT=',
  'address for 0x',
];
/** A regular expression, one that is made of a text, and what a text is asked for by. */
const REGEX =
  /(?<=(?:[(,=:[!&|?{};]|=>|\breturn|\bcase)\s*)\/(?![/*])((?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/[dgimsuvy]*/g;
const MADE = /\bnew RegExp\(\s*(?:String\.raw\s*)?(['"`])((?:(?!\1)[^\\]|\\[\s\S])+)\1/g;
const ASKED = /\b(?:startsWith|includes|indexOf|lastIndexOf|endsWith|split)\(\s*(['"`])((?:[^'"`\\\n]|\\.)+)\1/g;
const COMMENTS = /^\s*(?:\/\*\*?|\*|\/\/).*$/gm;

/** Where a source reads lines of a wire past its reader; `file` is relative to the repository, with `/`. */
export function checkWires(file: string, source: string): Violation[] {
  if (READERS.some(folder => file.startsWith(folder)) || file.endsWith('.test.ts') || file.includes('/testing/'))
    return [];
  const code = source.replace(COMMENTS, blank);
  const found = [...code.matchAll(REGEX)].map(m => [m, (m[1] ?? '').replaceAll('\\', '')] as const);
  found.push(...[...code.matchAll(MADE)].map(m => [m, (m[2] ?? '').replaceAll('\\', '')] as const));
  found.push(...[...code.matchAll(ASKED)].map(m => [m, m[2] ?? ''] as const));
  return found.flatMap(([m, words]) =>
    WORDS.some(word => words.includes(word))
      ? [
          {
            file,
            line: code.slice(0, m.index).split('\n').length,
            specifier: m[0].slice(0, 120),
            reason: 'lines of a kernel, of Xen and of QEMU are read in text alone: ask for its event',
          },
        ]
      : [],
  );
}

/** Checks every source. */
export function checkAllWires(root: string): Violation[] {
  return globSync(SOURCES, { cwd: root })
    .toSorted()
    .flatMap(file => checkWires(file.split(sep).join('/'), readFileSync(join(root, file), 'utf8')));
}
