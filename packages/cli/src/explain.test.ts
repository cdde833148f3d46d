import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CodeExplanation } from '@syndrome/decode/decode/explain-code.ts';
import { everyExplanation } from './explain.ts';

const MAIN = join(import.meta.dirname, 'main.ts');

function explain(...args: string[]): { status: number | null; out: string; err: string } {
  const run = spawnSync(process.execPath, [MAIN, 'decode', ...args], {
    input: '',
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { status: run.status, out: run.stdout, err: run.stderr };
}

describe('decode --explain', () => {
  it('knows errors of every room, whatever the case', () => {
    const { status, out } = explain('--explain', 'e_supply_keyring');
    expect(status).toBe(0);
    expect(out).toMatch(/^E_SUPPLY_KEYRING {2}error: packages\n/);
    expect(out).toContain('debian-archive-keyring');
  });

  it('gives every meaning of a word', () => {
    const { out } = explain('--explain', 'CE');
    expect(out).toContain('CE  class of a machine check');
    expect(out).toContain('CE  state of an arm64 PE');
    expect(Math.max(...out.split('\n').map(line => line.length))).toBeLessThanOrEqual(100);
  });

  it('gives JSON, one object a meaning', () => {
    const { out } = explain('--explain', 'MS_CHANNEL0_ERR', '--json');
    const all = out
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as CodeExplanation);
    expect(all.map(e => e.title)).toEqual(['error code 0x00c0', 'error code 0x02c0']);
    expect(all[0]).toMatchObject({ code: 'MS_CHANNEL0_ERR', kind: 'error code' });
    expect(all[0]?.text).toContain('memory scrubbing');
  });

  it('names what is near to a word without a meaning', () => {
    const typo = explain('--explain', 'E_LAB_TIMOUT');
    expect(typo).toMatchObject({ status: 2, out: '' });
    expect(typo.err).toMatch(/Close to it: E_LAB_TIMEOUT[,.]/);
    expect(explain('--explain', 'QMP_CLOSED').err).toContain('E_QMP_CLOSED');
    expect(explain('--explain', 'deferd').err).toContain('Deferred');
    expect(explain('--explain', 'zzzzz').err).toContain('--explain list');
  });

  it('lists everything, by hand or as JSON', () => {
    const bare = explain('--explain');
    expect(bare.status).toBe(0);
    expect(explain('--explain', 'list').out).toBe(bare.out);
    const words = (text: string): string => ` ${text.replaceAll(/,?\s+/g, ' ')} `;
    const listed = words(bare.out);
    const all = everyExplanation();
    expect(all.filter(e => !listed.includes(words(e.code))).map(e => e.code)).toEqual([]);
    const lines = explain('--explain', '--json').out.trimEnd().split('\n');
    expect(lines.map(line => JSON.parse(line) as CodeExplanation)).toEqual(all);
  });
});
