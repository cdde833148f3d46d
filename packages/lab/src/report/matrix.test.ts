import { describe, expect, test } from 'vitest';
import { matrixTable, matrixText } from './matrix.ts';
import { plain } from '@syndrome/trace/style.ts';
import { column, entry } from './testing/cells.ts';

const LOOK = { style: plain, width: 100 };

describe('the table of a matrix', () => {
  test('marks a change of the outcome, and of the verdict with the same outcome', () => {
    expect(matrixTable(column, 'kernel').rows.map(r => r.changed)).toEqual([[false], [true], [true], [true], [false]]);
    expect(matrixText({ axis: 'kernel', cells: column }, LOOK)).toEqual([
      'guest kernel',
      '6.18           pass  signalled   2.3 s',
      '6.19           fail  panicked    2.3 s ◀',
      '7.0            pass  signalled   2.3 s ◀',
      '7.1            fail  signalled   2.3 s ◀',
      '7.2            fail  signalled   2.3 s',
    ]);
  });

  test('has variants downwards where there are many of them', () => {
    const variants = ['anon', 'thp', 'huge2m', 'huge1g', 'ksm'];
    const cells = ['6.18', '6.19'].flatMap(kernel =>
      variants.map(variant =>
        entry({ kernel, variant }, kernel === '6.19' && variant === 'thp' ? 'fail' : 'pass', 'none'),
      ),
    );
    expect(matrixText({ axis: 'kernel', cells }, LOOK).slice(0, 3)).toEqual([
      'guest kernel   6.18                       6.19',
      'anon           pass  none        2.3 s    pass  none        2.3 s',
      'thp            pass  none        2.3 s    fail  none        2.3 s ◀',
    ]);
  });

  test('over another part has its versions as rows, and the kernel besides', () => {
    const cells = ['7.2', '10.0'].map(qemu => entry({ qemu, kernel: '6.19' }, 'pass', 'logged'));
    expect(matrixTable(cells, 'qemu')).toMatchObject({
      columns: ['guest kernel 6.19'],
      rows: [{ version: '7.2' }, { version: '10.0' }],
    });
    expect(matrixText({ axis: 'qemu', cells }, LOOK)[0]).toBe('QEMU           guest kernel 6.19');
  });

  test('has kernels as rows, the other axes as columns, and a dash where there is no cell', () => {
    const cells = [
      entry({ kernel: '6.18', hostKernel: '7.0', cpu: 'EPYC' }, 'pass', 'logged'),
      entry({ kernel: '6.18', hostKernel: '7.1', cpu: 'EPYC' }, 'pass', 'none'),
      entry({ kernel: '6.19', hostKernel: '7.0', cpu: 'EPYC' }, 'pass', 'logged'),
    ];
    const { columns, rows } = matrixTable(cells, 'kernel');
    expect(columns).toEqual(['host kernel 7.0 EPYC', 'host kernel 7.1 EPYC']);
    expect(rows.map(r => r.cells.map(c => c?.result.outcome))).toEqual([
      ['logged', 'none'],
      ['logged', undefined],
    ]);
    expect(rows[1]?.changed).toEqual([false, true]);
    expect(matrixText({ axis: 'kernel', cells }, LOOK)[2]).toMatch(/^6\.19 .* logged .* -$/);
  });

  test('shows a known cause once, and no escape of a name', () => {
    const cause = { id: 'linux-x', text: 'Why.', history: 'Since 6.19.' };
    const cells = column.map(c => ({ ...c, result: { ...c.result, causes: [cause] } }));
    const lines = matrixText(
      { axis: 'kernel', cells: [...cells, entry({ kernel: '\u001b[31m' }, 'skip', 'none')] },
      LOOK,
    );
    expect(lines.filter(l => l === '  Known cause (linux-x): Why.')).toHaveLength(1);
    expect(lines.join('\n')).not.toContain('\u001b');
  });

  test('says of the cells that say nothing why', () => {
    const problem = { code: 'E_LAB_KERNEL_CONFIG', message: 'Linux 6.1 is built without CONFIG_X86_MCE' };
    const skipped = entry({ kernel: '6.1', cpu: 'EPYC' }, 'skip', 'none');
    const lines = matrixText({ axis: 'kernel', cells: [{ ...skipped, result: { ...skipped.result, problem } }] }, LOOK);
    expect(lines.at(-1)).toBe('6.1 EPYC: E_LAB_KERNEL_CONFIG: Linux 6.1 is built without CONFIG_X86_MCE');
  });
});
