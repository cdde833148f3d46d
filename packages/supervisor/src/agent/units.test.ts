import { describe, expect, test } from 'vitest';
import { startsAgain, Units } from './units.ts';

const properties = (more: Record<string, string> = {}): string =>
  Object.entries({
    LoadState: 'loaded',
    UnitFileState: 'disabled',
    Restart: 'no',
    RestartForceExitStatus: '',
    WantedBy: '',
    TriggeredBy: '',
    ...more,
  })
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');

describe('a unit of systemd', () => {
  test.each([
    ['disabled, Restart=no', {}, false],
    ['transient, as systemd-run makes it', { UnitFileState: 'transient' }, false],
    ['static, and nothing wants it', { UnitFileState: 'static' }, false],
    ['enabled, Restart=no: it starts with the host', { UnitFileState: 'enabled' }, true],
    ['enabled until the next boot: its target may be started again', { UnitFileState: 'enabled-runtime' }, true],
    ['disabled, Restart=on-failure: it starts after a kill', { Restart: 'on-failure' }, true],
    ['Restart=no with exit codes that force it', { RestartForceExitStatus: '137' }, true],
    ['static, and another unit wants it', { UnitFileState: 'static', WantedBy: 'cloud.target' }, true],
    ['disabled, and a timer starts it', { TriggeredBy: 'vm.timer' }, true],
    ['not there: another manager has it', { LoadState: 'not-found', UnitFileState: '' }, true],
    ['of a state that is not known', { UnitFileState: 'new-in-2030' }, true],
  ])('%s', (_, more, again) => {
    expect(startsAgain(properties(more)).again).toBe(again);
  });

  test('that says nothing is to be feared', () => {
    expect(startsAgain('')).toMatchObject({ again: true, said: expect.stringContaining('Restart=?') });
  });

  test('where systemctl fails or is not there, it may start again', async () => {
    for (const systemctl of [['false'], ['/nonexistent/systemctl']]) {
      const answer = await new Units({ systemctl }).ask({ name: 'vm.service' });
      expect(answer).toMatchObject({ again: true, said: expect.stringContaining('systemctl') });
    }
  });

  test("of another user's manager is not asked of ours", async () => {
    const units = new Units({ systemctl: ['printf', properties()] });
    expect(await units.ask({ name: 'vm.service', user: 4_000_000_000 })).toMatchObject({ again: true });
  });
});
