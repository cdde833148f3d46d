import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
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

  it('is looked at for each notice: what others may change since is not run', async () => {
    const to = hook('echo ran > "$1"');
    checkTarget(to);
    expect(await deliver(sender, to, NOTICE)).toEqual({ ok: true });
    writeFileSync(join(folder, 'out'), '');
    chmodSync(to.argv[0], 0o777);
    expect(await deliver(sender, to, NOTICE)).toEqual({ ok: false, why: expect.stringContaining('others') as unknown });
    expect(readFileSync(join(folder, 'out'), 'utf8')).toBe('');
    chmodSync(to.argv[0], 0o755);
    expect(await deliver(sender, to, NOTICE)).toEqual({ ok: true });
  });

  it.each([
    ['a folder above it', 0o777, 'they may write to'],
    ['a folder above it with the sticky bit', 0o1777, undefined],
  ])('is refused when others may write to %s: %o', (_what, mode, why) => {
    const above = join(folder, `above-${count++}`);
    mkdirSync(join(above, 'bin'), { recursive: true });
    const program = join(above, 'bin/hook');
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
    chmodSync(above, mode);
    const check = (): unknown => checkTarget({ kind: 'hook', name: 'x', argv: [program] });
    if (why === undefined) expect(check).not.toThrow();
    else expect(check).toThrow(why);
    // Also by way of a link that lies well.
    const link = join(folder, `link-${count++}`);
    symlinkSync(program, link);
    const linked = (): unknown => checkTarget({ kind: 'hook', name: 'x', argv: [link] });
    if (why === undefined) expect(linked).not.toThrow();
    else expect(linked).toThrow(why);
  });

  it('runs the file that was looked at, under its own name where it is no script', async () => {
    const to: HookTarget = { kind: 'hook', name: 'x', argv: ['/bin/cat', '/proc/self/cmdline', '/nowhere'] };
    expect(await deliver(sender, to, NOTICE)).toEqual({
      ok: false,
      // Newer ones leave out the folder of their name.
      why: expect.stringMatching(/^exit code 1: (?:\/bin\/)?cat: \/nowhere/) as unknown,
    });
  });

  it.runIf(process.geteuid?.() === 0)('of a controller that is root belongs to root', () => {
    const to = hook('# own');
    expect(checkTarget(to)).toBeUndefined();
    chownSync(to.argv[0], 65_534, 65_534);
    expect(() => checkTarget(to)).toThrow('belongs to uid 65534');
  });

  it('of another controller may belong to its user, which is said to be weaker', () => {
    const to = hook('# own');
    const real = process.geteuid?.() ?? 0;
    const as = real === 0 ? 65_534 : real;
    const spy = vi.spyOn(process, 'geteuid').mockReturnValue(as);
    try {
      if (real === 0) chownSync(to.argv[0], as, as);
      expect(checkTarget(to)).toMatch(new RegExp(`belongs to uid ${as}, not to root`));
      expect(checkTarget({ kind: 'hook', name: 'x', argv: ['/bin/true'] })).toBeUndefined();
    } finally {
      spy.mockRestore();
    }
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
