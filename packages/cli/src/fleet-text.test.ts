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

test('the status says who has paused the fleet, since when, and why', () => {
  const plain = (_style: unknown, t: string): string => t;
  const paused = { at: 1_796_020_771_327, by: 'ann', reason: 'a firmware update' };
  const line = (value: unknown): string | undefined =>
    listLines('status', { alerts: [], paused: value }, plain as never).find(l => l.startsWith('paused'));
  expect(line(paused)).toBe('paused     by ann since 2026-11-30T06:39:31.327Z: a firmware update');
  expect(line({ ...paused, reason: '' })).toBe('paused     by ann since 2026-11-30T06:39:31.327Z');
  expect(line(undefined)).toBeUndefined();
});
