import { describe, expect, test } from 'vitest';
import { type MatrixFile, readMatrix } from './matrix-file.ts';
import { matrixHtml } from './matrix-html.ts';
import { BISECTED, cell, DEFERRED, matrixText } from './testing/matrices.ts';

const fileOf = (text: string, name = 'm'): MatrixFile => {
  const read = readMatrix(text, name);
  if (!('cells' in read)) throw new Error(read.message);
  return read;
};

describe('the table without scripts', () => {
  const hostile = '"><img src=x onerror=alert(1)>\'&</noscript><script>';
  const cause = { id: hostile, text: hostile, history: hostile };
  const more = {
    title: hostile,
    causes: [cause],
    trace: hostile,
    problem: { code: hostile, message: hostile, hint: hostile },
    expectations: [
      { expectation: hostile, kind: 'outlook', status: 'not-judged', evidence: [], nearest: [], reason: hostile },
    ],
  };
  const cells = [
    cell(hostile, 'fail', 'panicked', more, { cpu: hostile, hostKernel: hostile }),
    cell('7.0', 'error', 'none', more),
  ];
  const html = matrixHtml([fileOf(matrixText(hostile, cells), hostile)]);

  test('has only the elements that it is made of, whatever stands in names and messages', () => {
    const tags = new Set(Array.from(html.matchAll(/<(\/?[a-z0-9!]+)/gi), m => (m[1] ?? '').replace('/', '')));
    expect([...tags].toSorted()).toEqual([
      'a',
      'b',
      'details',
      'div',
      'h1',
      'h2',
      'p',
      'pre',
      'summary',
      'table',
      'tbody',
      'td',
      'th',
      'thead',
      'tr',
    ]);
    expect(html).not.toMatch(/<[^>]*\son\w+=/i);
    expect(html).not.toMatch(/\b(?:src|srcset|href|action|data)=["'](?!#)/);
  });
  test('says what is bad, why, and how it is narrowed down', () => {
    const page = matrixHtml([fileOf(DEFERRED)]);
    expect(page).toContain('first bad 6.19.6 · last bad 6.19.8');
    expect(page).toContain('<pre>syndrome bisect amd-deferred --good 6.18.15 --bad 6.19.6</pre>');
    expect(page).toContain('<b>linux-amd-destat-without-smca</b>');
    expect(page).toContain('CONFIG_X86_MCE');
    expect(page).toMatch(/<td class="cell cell-fail is-changed"><a href="#c2">fail P! panicked<\/a> 2\.3 s/);
    expect(page).toContain('  ✗ outlook: signalled\n      the outcome is panicked');
  });
  test('of a bisection has hollow cells for what was not measured, and the answer', () => {
    const page = matrixHtml([fileOf(BISECTED)]);
    expect(page).toContain('<p>first good kernel 6.19.10, last bad 6.19.8</p>');
    expect(page.match(/<td class="cell is-hollow">not measured<\/td>/g)).toHaveLength(2);
  });
  test('leads from each cell to a place inside its details, which a browser opens for it', () => {
    const links = Array.from(html.matchAll(/href="#(c\d+)"/g), m => m[1]);
    expect(links).toHaveLength(cells.length);
    for (const id of links) {
      // Only what stands behind the summary opens: HTML, ancestor details revealing algorithm.
      expect(html.split(`id="${id}"`)).toHaveLength(2);
      expect(html).toMatch(new RegExp(`<details><summary>[^<]*</summary><pre id="${id}">`));
    }
  });
});
