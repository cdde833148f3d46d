import { describe, expect, test } from 'vitest';
import { isMatrixText, readMatrix } from './matrix-file.ts';
import { BISECTED, CAUSE, cell, DEFERRED, matrixText, OUTLOOK, OVER_QEMU } from './testing/matrices.ts';

describe('a matrix', () => {
  test('is read as it was printed', () => {
    const read = readMatrix(DEFERRED, 'm.json');
    expect(read).toMatchObject({ name: 'm.json', scenario: 'amd-deferred', damaged: 0 });
    if (!('cells' in read)) throw new Error(read.message);
    expect(read.cells).toHaveLength(6);
    expect(read.cells[2]).toMatchObject({
      version: '6.19.6',
      scenario: 'amd-deferred',
      verdict: 'fail',
      outcome: 'panicked',
      seconds: 2.345,
      causes: [CAUSE],
      expectations: [OUTLOOK],
      parts: { kernel: '6.19.6' },
    });
    expect(read.cells[0]?.problem?.code).toBe('E_LAB_KERNEL_CONFIG');
  });
  test('of a bisection has all versions between, and what was found', () => {
    expect(isMatrixText(BISECTED.slice(0, 2000))).toBe(true);
    expect(readMatrix(BISECTED, 'b.json')).toMatchObject({
      versions: ['6.19.6', '6.19.8', '6.19.10', '6.19.11', '6.19.13', '6.19.14'],
      bisection: { change: 'bad to good', last: '6.19.8', first: '6.19.10', untested: [] },
      cells: [{ phases: { ready: 1.26, injected: 1.74 }, restored: true }, { phases: {}, restored: false }, {}, {}],
    });
  });
  test.each([
    ['change', 'sideways'],
    ['first', 7],
    ['last', ''],
    ['kernels', 'all'],
    ['unsteady', [null, 3]],
  ])('of a bisection whose %s is wrong is shown all the same', (member, value) => {
    const text = JSON.stringify({ ...(JSON.parse(BISECTED) as object), [member]: value });
    expect(readMatrix(text, 'b.json')).toMatchObject({ damaged: 0, cells: [{}, {}, {}, {}] });
  });
  test('says what its versions are of; one of before is over guest kernels', () => {
    expect(readMatrix(DEFERRED, 'm.json')).toMatchObject({ axis: 'kernel' });
    expect(isMatrixText(OVER_QEMU.slice(0, 2000))).toBe(true);
    expect(readMatrix(OVER_QEMU, 'm.json')).toMatchObject({
      axis: 'qemu',
      versions: ['5.2', '7.2', '10.0.2', '10.0.13', '11.1.3'],
      cells: [{ version: '5.2', chosen: { qemu: '5.2', kernel: '6.19.8' } }, {}, {}, {}],
      damaged: 0,
    });
    for (const axis of ['cpu', 7, undefined]) {
      const text = JSON.stringify({ ...(JSON.parse(OVER_QEMU) as object), axis });
      expect(readMatrix(text, 'm.json')).toMatchObject({ message: 'm.json is no matrix' });
    }
  });
  test('is known by its beginning', () => {
    expect(isMatrixText(DEFERRED)).toBe(true);
    expect(isMatrixText(JSON.stringify(JSON.parse(DEFERRED), null, 2))).toBe(true);
    expect(isMatrixText('{"schemaVersion":1,"scenario":"s","title":"t","verdict":"pass"}')).toBe(false);
    expect(isMatrixText('{"type":"trace","version":2}')).toBe(false);
  });
  test.each([
    ['cut', DEFERRED.slice(0, -20), /cut or damaged/],
    ['no JSON', 'hello', /no matrix/],
    ['another document', '[1]', /no matrix/],
    ['newer', DEFERRED.replace('"schemaVersion":1', '"schemaVersion":7'), /version 7; this page reads 2/],
  ])('%s is told', (_, text, message) => {
    expect(readMatrix(text, 'm.json')).toMatchObject({ message: expect.stringMatching(message) });
  });
  test('cells that say nothing are counted, what is wrong inside of others is left out', () => {
    const good = cell('7.0', 'pass', 'logged', { expectations: [{ kind: 'x' }, 3], causes: [null], parts: { a: 1 } });
    const cells = [null, 5, {}, cell('6.1', 'maybe', 'none'), cell('6.2', 'pass', 'fine'), good];
    const read = readMatrix(matrixText('s', cells as object[]), 'm');
    expect(read).toMatchObject({ damaged: 5, cells: [{ version: '7.0', expectations: [], parts: {} }] });
  });
});
