import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Notice } from '../core/notice.ts';
import { checkTarget, deliver } from './deliver.ts';
import { type HookTarget, wants } from './target.ts';

const folder = mkdtempSync(join(tmpdir(), 'notify-'));
chmodSync(folder, 0o755);
afterAll(() => rmSync(folder, { recursive: true }));
const NOTICE: Notice = {
  id: 'inc-1/hold',
  type: 'alert.unproven',
  severity: 'critical',
  at: 0,
  vm: '$(touch x)',
  summary: 'No proof.',
};
const lines: string[] = [];
const sender = { site: 'lab', now: () => 0, log: (line: string) => void lines.push(line) };

let count = 0;
function hook(script: string, more: Partial<HookTarget> = {}, mode = 0o755): HookTarget {
  const path = join(folder, `hook-${count++}`);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, mode);
  return { kind: 'hook', name: 'pager', argv: [path, join(folder, 'out')], ...more };
}

describe('a hook', () => {
  it('gets the notice on its standard input, its arguments as they are, and nothing of our environment', async () => {
    process.env['OUR_SECRET'] = 'x';
    const to = hook('cat > "$1"; env >> "$1"');
    checkTarget(to);
    expect(await deliver(sender, to, NOTICE)).toEqual({ ok: true });
    const [first = '', ...env] = readFileSync(join(folder, 'out'), 'utf8').split('\n');
    expect(JSON.parse(first)).toMatchObject({
      id: NOTICE.id,
      type: 'syndrome.alert.unproven.v1',
      subject: '$(touch x)',
    });
    expect(env.join('\n')).not.toContain('OUR_SECRET');
    delete process.env['OUR_SECRET'];
  });

  it.each([
    ['echo oh >&2; exit 3', 'exit code 3: oh'],
    ['kill -9 $$', 'ended by SIGKILL'],
    ['exec 0<&-; exit 1', 'exit code 1'],
  ])('that fails says how: %s', async (script, why) => {
    expect(await deliver(sender, hook(script), NOTICE)).toEqual({ ok: false, why });
  });

  it('that hangs is ended at its deadline', async () => {
    const delivery = await deliver(sender, hook('exec sleep 60', { deadlineMs: 100 }), NOTICE);
    expect(delivery).toEqual({ ok: false, why: 'it ran longer than 100 ms and was ended' });
  });

  it.each<[string, HookTarget]>([
    ['a relative path', { kind: 'hook', name: 'x', argv: ['hook'] }],
    ['no such program', { kind: 'hook', name: 'x', argv: [join(folder, 'none')] }],
    ['a file that others may change', hook('# w', {}, 0o777)],
    ['a file that cannot be run', hook('# r', {}, 0o600)],
  ])('is refused where somebody else could choose what runs: %s', (_what, target) => {
    expect(() => checkTarget(target)).toThrow(expect.objectContaining({ code: 'E_NOTIFY_HOOK' }));
  });
});

describe('the log', () => {
  it('gets one line that no value breaks', async () => {
    lines.length = 0;
    await deliver(sender, { kind: 'log', name: 'journal' }, { ...NOTICE, summary: 'a\nb\u001b[0m' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toMatch(/[\n\u001b]/);
    expect((JSON.parse(lines[0] ?? '') as { data: { summary: string } }).data.summary).toBe('a\nb\u001b[0m');
  });
});

describe('a target', () => {
  it.each([
    [undefined, 'vm.restarted', true],
    [['vm.*'], 'vm.restarted', true],
    [['vm.*'], 'alert.unproven', false],
    [['alert.unproven'], 'alert.unproven', true],
    [[], 'alert.unproven', false],
  ])('that wants %j of %s: %s', (types, type, is) => {
    expect(wants({ kind: 'log', name: 'x', ...(types === undefined ? {} : { types }) }, type)).toBe(is);
  });
});
