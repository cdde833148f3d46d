import { expect, test } from 'vitest';
import { listLines } from './fleet-text.ts';

test('the status says which notices nobody delivers', () => {
  const lines = listLines('status', { alerts: [], unserved: [{ target: 'pager', waiting: 3 }] }, (_style, t) =>
    String(t),
  );
  expect(lines).toContain('notices    3 wait for pager, which `notify:` of the site names no more');
  expect(listLines('status', { alerts: [], unserved: [] }, (_style, t) => String(t)).join('\n')).not.toContain(
    'notices',
  );
});
