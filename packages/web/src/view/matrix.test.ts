import { describe, expect, test } from 'vitest';
import {
  bisections,
  bisectionWords,
  findGrid,
  gridsOf,
  isSurprise,
  joined,
  type MatrixGrid,
  type MatrixLine,
  neighbourOf,
  overWords,
  rangeOf,
  rangeText,
  runCommand,
  unjudged,
} from './matrix.ts';
import { type MatrixFile, readMatrix } from './matrix-file.ts';
import { matrixLines } from './matrix-lines.ts';
import { cell, BISECTED, DEFERRED, LOGGED, matrixText, OVER_QEMU } from './testing/matrices.ts';

const fileOf = (text: string, name = 'm.json'): MatrixFile => {
  const read = readMatrix(text, name);
  if (!('cells' in read)) throw new Error(read.message);
  return read;
};
/** The table of matrices that have one axis. */
const gridOf = (files: readonly MatrixFile[]): MatrixGrid => {
  const [grid, ...others] = gridsOf(files);
  if (!grid || others.length > 0) throw new Error(`${others.length + 1} tables`);
  return grid;
};
const lineOf = (text: string): MatrixLine => {
  const [line] = gridOf([fileOf(text)]).lines;
  if (!line) throw new Error('no line');
  return line;
};

describe('over versions of another part', () => {
  const line = lineOf(OVER_QEMU);
  test('the part is the axis, and what else was chosen stands besides', () => {
    expect([line.axis, line.besides]).toEqual(['qemu', 'guest kernel 6.19.8']);
    expect(gridOf([fileOf(OVER_QEMU)]).versions).toEqual(['5.2', '7.2', '10.0.2', '10.0.13', '11.1.3']);
    expect(line.cells.get('10.0.2')).toBeUndefined();
    expect(unjudged(line)).toEqual([{ version: '5.2', why: 'E_LAB_QEMU_OLD: QEMU 5.2.0 is too old for the lab' }]);
  });
  test('commands name the part, and keep what was chosen', () => {
    expect(line.bad.flatMap(range => [rangeText(range), ...bisections(range, line)])).toEqual([
      'bad only 7.2 · none good measured before · good again: 10.0.13',
      'syndrome bisect intel-srao-process --over qemu --good 10.0.13 --bad 7.2 --guest-kernel 6.19.8',
    ]);
    const cell = line.cells.get('7.2');
    expect(cell && runCommand(cell)).toBe('syndrome run intel-srao-process --guest-kernel 6.19.8 --qemu 7.2');
  });
  test('matrices of different axes are tables of their own, whose lines have names of their own', () => {
    const files = [fileOf(DEFERRED), fileOf(OVER_QEMU), fileOf(LOGGED)];
    expect(gridsOf(files).map(({ axis, lines }) => [axis, ...lines.map(({ name }) => name)])).toEqual([
      ['kernel', '1.1', '3.1'],
      ['qemu', '2.1'],
    ]);
    expect(overWords(files)).toBe('kernels and QEMU versions');
  });
  test('what a bisection over it found is said with its name', () => {
    const found = { ...(JSON.parse(OVER_QEMU) as object), change: 'bad to good', last: '7.2', first: '10.0.13' };
    expect(bisectionWords(lineOf(JSON.stringify(found)))).toEqual(['first good QEMU version 10.0.13, last bad 7.2']);
  });
});

describe('the table', () => {
  test('has scenarios and what varies besides as lines, and versions in the order of each', () => {
    const { versions, lines } = gridOf([fileOf(DEFERRED), fileOf(LOGGED)]);
    expect(versions).toEqual(['6.1', '6.18.15', '6.19.6', '6.19.8', '6.19.10', '7.0.4', '7.3.4']);
    expect(lines.map(({ name, scenario, besides }) => [name, scenario, besides])).toEqual([
      ['1.1', 'amd-deferred', ''],
      ['2.1', 'intel-ce-logged', 'Skylake-Server'],
    ]);
  });
  test('names the file where one scenario stands in two', () => {
    const { lines } = gridOf([fileOf(LOGGED, 'qemu-10.json'), fileOf(LOGGED, 'qemu-11.json')]);
    expect(lines.map(({ besides }) => besides)).toEqual([
      'Skylake-Server · qemu-10.json',
      'Skylake-Server · qemu-11.json',
    ]);
  });
  test('keeps the order of each list, and puts by version what no list orders', () => {
    expect(
      joined([
        ['a', 'c'],
        ['a', 'b', 'c'],
        ['0', 'a', 'd'],
      ]),
    ).toEqual(['0', 'a', 'b', 'c', 'd']);
    expect(
      joined([
        ['6.9', '6.10', '7.0'],
        ['6.9.1', '7.0-rc2', '7.0.1'],
      ]),
    ).toEqual(['6.9', '6.9.1', '6.10', '7.0-rc2', '7.0', '7.0.1']);
    expect(
      joined([
        ['7.0', '6.9'],
        ['6.10', '6.9', '7.0'],
      ]),
    ).toEqual(['6.10', '7.0', '6.9']);
  });
  test('marks where verdict or outcome change, and what the outlook did not say', () => {
    const line = lineOf(DEFERRED);
    expect([...line.changes]).toEqual(['6.18.15', '6.19.6', '6.19.10']);
    expect([...line.cells.values()].filter(isSurprise).map(({ version }) => version)).toEqual(['6.19.6']);
    const same = lineOf(matrixText('s', [cell('1', 'pass', 'logged'), cell('2', 'fail', 'logged')]));
    expect([...same.changes]).toEqual(['2']);
  });
  test('is filtered by lines, versions, and what came', () => {
    const grid = gridOf([fileOf(DEFERRED), fileOf(LOGGED)]);
    const versions = (find: string): readonly string[] => findGrid(grid, find).versions;
    expect(findGrid(grid, 'skylake').lines.map(({ scenario }) => scenario)).toEqual(['intel-ce-logged']);
    expect(versions('6.19')).toEqual(['6.19.6', '6.19.8', '6.19.10']);
    expect(versions('amd fail')).toEqual(['6.19.6', '6.19.8']);
    expect(versions('nothing')).toEqual([]);
  });
});

describe('what is bad', () => {
  test('goes from the first to the last bad version, between those that passed', () => {
    const { bad } = lineOf(DEFERRED);
    expect(bad).toHaveLength(1);
    expect(bad.map(rangeText)).toEqual([
      'first bad 6.19.6 · last bad 6.19.8 · 2 bad · good before: 6.18.15 · good again: 6.19.10',
    ]);
    expect(bad.flatMap(range => bisections(range, { versions: [], axis: 'kernel' }))).toEqual([
      'syndrome bisect amd-deferred --good 6.18.15 --bad 6.19.6',
      'syndrome bisect amd-deferred --good 6.19.10 --bad 6.19.8',
    ]);
  });
  test('of a bisection is told, with what was not steady; between neighbours there is nothing left to bisect', () => {
    const line = lineOf(BISECTED);
    expect(bisectionWords(line)).toEqual([
      'first good kernel 6.19.10, last bad 6.19.8',
      'not steady: 6.19.8 was fail, then pass; the change may lie elsewhere',
    ]);
    expect(line.bad.flatMap(range => bisections(range, line))).toEqual([]);
    expect(bisectionWords(lineOf(DEFERRED))).toEqual([]);
  });
  test('is known of each cell in it', () => {
    const line = lineOf(DEFERRED);
    const ranges = [...line.cells.values()].map(one => rangeOf(line, one));
    expect(ranges.map(range => range?.first.version)).toEqual([
      undefined,
      undefined,
      '6.19.6',
      '6.19.6',
      undefined,
      undefined,
    ]);
  });
  test('is not ended by what was not judged', () => {
    const versions = ['1', '2', '3', '4', '5'];
    const verdicts = ['fail', 'error', 'fail', 'pass', 'fail'];
    const { bad } = lineOf(
      matrixText(
        's',
        versions.map((version, i) => cell(version, verdicts[i] ?? '', 'none')),
      ),
    );
    expect(bad.map(rangeText)).toEqual([
      'first bad 1 · last bad 3 · 2 bad · none good measured before · good again: 4',
      'bad only 5 · good before: 4 · none good measured after',
    ]);
  });
  test('has no command where a name would have to be quoted, or is no version on offer', () => {
    const line = (bad: string, parts: object = {}): MatrixLine =>
      lineOf(matrixText('s', [cell('6.18', 'pass', 'none', {}, parts), cell(bad, 'fail', 'none', {}, parts)]));
    expect(line('6.19; rm -rf ~').bad.flatMap(range => bisections(range, { versions: [], axis: 'kernel' }))).toEqual(
      [],
    );
    expect(line('/boot/vmlinuz').bad.flatMap(range => bisections(range, { versions: [], axis: 'kernel' }))).toEqual([]);
    const parts = { cpu: 'EPYC,-x2apic', hostKernel: '7.0' };
    expect(line('6.19', parts).bad.flatMap(range => bisections(range, { versions: [], axis: 'kernel' }))).toEqual([
      'syndrome bisect s --good 6.18 --bad 6.19 --host-kernel 7.0 --cpu EPYC,-x2apic',
    ]);
    const [first] = line('$(x)').cells.values();
    expect(first && runCommand(first)).toBe('syndrome run s --guest-kernel 6.18');
    expect([...line('$(x)').cells.values()].map(runCommand)[1]).toBeUndefined();
  });
  test('is compared with the nearest that passed', () => {
    const line = lineOf(DEFERRED);
    const nearest = (version: string): string | undefined => {
      const one = line.cells.get(version);
      return one && neighbourOf(line, one)?.version;
    };
    expect([nearest('6.19.6'), nearest('6.19.8'), nearest('7.3.4')]).toEqual(['6.18.15', '6.19.10', '6.19.8']);
  });
  test('says why a cell says nothing', () => {
    expect(unjudged(lineOf(DEFERRED))).toEqual([
      { version: '6.1', why: 'E_LAB_KERNEL_CONFIG: Linux 6.1 is built without CONFIG_X86_MCE' },
    ]);
  });
});

test('as text it says the same', () => {
  expect(matrixLines(gridOf([fileOf(DEFERRED)]))).toEqual([
    'amd-deferred',
    '  A deferred error',
    '  6.1            skip  N none',
    '  6.18.15        pass  S signalled  ◀',
    '  6.19.6         fail  P panicked ! ◀',
    '  6.19.8         fail  P panicked',
    '  6.19.10        pass  S signalled  ◀',
    '  7.3.4          pass  S signalled',
    '  first bad 6.19.6 · last bad 6.19.8 · 2 bad · good before: 6.18.15 · good again: 6.19.10',
    '    syndrome bisect amd-deferred --good 6.18.15 --bad 6.19.6',
    '    syndrome bisect amd-deferred --good 6.19.10 --bad 6.19.8',
    '  6.1: E_LAB_KERNEL_CONFIG: Linux 6.1 is built without CONFIG_X86_MCE',
    '',
    '  Known cause (linux-amd-destat-without-smca): The guest cleared MCA_DESTAT.',
    '    Mended in 6.19.10.',
  ]);
});
