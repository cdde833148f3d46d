import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAgentConfig, readAgentConfig } from './config.ts';

describe('the configuration of an agent', () => {
  test('needs the name of the host; nothing is allowed that is not said', () => {
    expect(parseAgentConfig('host: a', 'x')).toMatchObject({
      host: 'a',
      offline: false,
      monitors: [],
      kmsg: 'auto',
      start: { folder: '/run/syndrome/vms' },
    });
    for (const bad of [
      '',
      'host: a\nhots: b',
      'host: a\ncontroller: tcp://b',
      'host: a\nfolder: here',
      '- a',
      'host: [',
    ]) {
      expect(() => parseAgentConfig(bad, 'x.yaml')).toThrow('x.yaml is no configuration of an agent');
    }
  });

  test('is not taken from a file that others may write to', () => {
    const folder = mkdtempSync(join(tmpdir(), 'config-'));
    const file = join(folder, 'agent.yaml');
    writeFileSync(file, 'host: a\nmonitors:\n  - socket: /run/a.qmp\n    optedIn: true\n');
    chmodSync(file, 0o600);
    expect(readAgentConfig(file).monitors).toEqual([{ socket: '/run/a.qmp', optedIn: true }]);
    chmodSync(file, 0o622);
    expect(() => readAgentConfig(file)).toThrow('others may write');
    rmSync(folder, { recursive: true });
  });
});
