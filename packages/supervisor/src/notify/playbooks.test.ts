import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ALERT_PLAYBOOK, type Notice } from '../core/notice.ts';
import { deliver } from './deliver.ts';
import { playbookAt, playbookNames, playbooksFault, playbookText } from './playbooks.ts';

const NOTICE: Notice = {
  id: 'v/alert.unproven/v/1',
  type: 'alert.unproven',
  severity: 'critical',
  at: 0,
  summary: 'No proof.',
  playbook: 'unproven.md',
};

/** The playbook of a notice, as its receiver gets it. */
async function link(playbooks?: string): Promise<string> {
  const lines: string[] = [];
  const sender = { site: 'lab', playbooks, now: () => 0, log: (line: string) => void lines.push(line) };
  await deliver(sender, { kind: 'log', name: 'journal' }, NOTICE);
  return (JSON.parse(lines[0] ?? '') as { data: { playbook: string } }).data.playbook;
}

describe('the playbook of a notice', () => {
  it('is a file that is there, where the site names no other place', async () => {
    const path = await link();
    expect([isAbsolute(path), existsSync(path)]).toEqual([true, true]);
  });

  it.each([
    ['https://wiki.example.org/syndrome', 'https://wiki.example.org/syndrome/unproven.md'],
    ['https://wiki.example.org/syndrome//', 'https://wiki.example.org/syndrome/unproven.md'],
    ['/srv/playbooks', '/srv/playbooks/unproven.md'],
  ])('is below %s', async (base, path) => {
    expect(playbooksFault(base)).toBeUndefined();
    expect([await link(base), playbookAt('unproven.md', base)]).toEqual([path, path]);
  });

  it.each([
    'http://wiki.example.org/',
    'playbooks',
    '../playbooks',
    'javascript:alert(1)',
    'file:///srv',
    'https://ann:secret@wiki.example.org/',
    'https://wiki.example.org/?p=',
    'https://wiki.example.org/#',
    '',
  ])('cannot be at %j', base => {
    expect(playbooksFault(base)).toBeTypeOf('string');
  });
});

describe('the playbook of an alert', () => {
  it.each(Object.entries(ALERT_PLAYBOOK))('%s is %s, which says what to do about it', (type, file) => {
    expect(playbookText(file)).toContain(`\`${type}\``);
  });
});

describe('a playbook that comes with the program', () => {
  it('is printed by its name, with and without the end of a file name', () => {
    expect(playbookNames()).toContain('unproven');
    for (const name of playbookNames()) expect(playbookText(name), name).toMatch(/^# Playbook: /);
    expect(playbookText('unproven.md')).toBe(playbookText('unproven'));
  });

  it.each(['../supervisor', '/etc/passwd', '', 'unproven/../unproven', '.'])('is never found as %j', name => {
    expect(playbookText(name)).toBeUndefined();
  });
});
