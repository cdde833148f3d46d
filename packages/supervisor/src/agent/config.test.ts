import { describe, expect, test } from 'vitest';
import { parseAgentConfig } from './config.ts';

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
});
