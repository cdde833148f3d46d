import { describe, expect, test } from 'vitest';
import { TRACE_VERSION } from '@syndrome/trace/event.ts';
import type { Trace } from '@syndrome/trace/reader.ts';
import { matrixHtml } from './matrix-html.ts';
import { column, entry } from './testing/cells.ts';

describe('the HTML of a matrix', () => {
  const hostile = '"><img src=x onerror=alert(1)>\'&';
  const trace: Pick<Trace, 'header' | 'events'> = {
    header: {
      type: 'trace',
      version: TRACE_VERSION,
      tool: 't',
      scenario: hostile,
      startedAt: '2026-01-01T00:00:00Z',
      layers: ['lab', 'guest'],
      expect: [],
      settle: 0,
      parts: { qemu: hostile },
    },
    events: [
      {
        seq: 1,
        t: 0,
        layer: 'guest',
        source: 'console',
        raw: hostile,
        name: 'guest.panic',
        fields: { message: hostile },
      },
    ],
  };
  const cause = { id: hostile, text: hostile, history: hostile };
  const cells = [...column, entry({ kernel: hostile, cpu: hostile, hostKernel: hostile }, 'error', 'none')].map(c => ({
    ...c,
    result: { ...c.result, scenario: hostile, causes: [cause] },
  }));
  const html = matrixHtml(hostile, cells, c => (c === cells[1] ? undefined : trace));

  test('has only the elements that it is made of, whatever stands in names and traces', () => {
    const tags = new Set(Array.from(html.matchAll(/<(\/?[a-z0-9!]+)/gi), m => (m[1] ?? '').replace('/', '')));
    expect([...tags].toSorted()).toEqual(
      ['!doctype', 'a', 'b', 'body', 'details', 'h1', 'h2', 'head', 'html', 'meta', 'p', 'pre', 'style', 'summary']
        .concat(['table', 'tbody', 'td', 'th', 'thead', 'title', 'tr'])
        .toSorted(),
    );
    expect(html).not.toMatch(/<[^>]*\son\w+=/i);
  });

  test('loads nothing from elsewhere and runs no script', () => {
    expect(html).not.toMatch(/\b(?:src|srcset|href|action|data)=["'](?!#)/);
    expect(html).not.toMatch(/@import|url\(|<script|<link/);
    expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  });

  test('marks changes as the table does', () => {
    const marked = Array.from(html.matchAll(/<td class="\w+( changed)?"/g), m => m[1] !== undefined);
    // The last row stands in another column.
    expect(marked.slice(0, 5)).toEqual([false, true, true, true, false]);
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
