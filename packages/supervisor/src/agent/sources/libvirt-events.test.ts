import { describe, expect, test } from 'vitest';
import type { LibvirtEvent } from '@syndrome/qemu/libvirt/events.ts';
import { catalogEventOf, wordsOf } from './libvirt-events.ts';

const domain = { name: 't1', uuid: '83f1535f-99ab-4bf4-89d0-2dfd85d3e3f7', id: 3 };
const lifecycle = (type: Extract<LibvirtEvent, { event: 'lifecycle' }>['type'], detail: string): LibvirtEvent => ({
  event: 'lifecycle',
  domain,
  type,
  detail,
});

describe('an event of libvirt', () => {
  test.each<[LibvirtEvent, object | undefined, string]>([
    [
      {
        event: 'memory-failure',
        domain,
        recipient: 'guest',
        action: 'inject',
        actionRequired: true,
        recursive: false,
      },
      {
        name: 'vmm.memory-failure',
        fields: { recipient: 'guest', action: 'inject', actionRequired: true, recursive: false },
      },
      'memory-failure guest inject actionRequired=true recursive=false',
    ],
    [lifecycle('crashed', 'panicked'), { name: 'vmm.guest-panicked', fields: {} }, 'lifecycle crashed panicked'],
    [{ event: 'reboot', domain }, { name: 'vmm.reset', fields: {} }, 'reboot'],
    [
      { event: 'watchdog', domain, action: 'reset' },
      { name: 'vmm.watchdog', fields: { action: 'reset' } },
      'watchdog reset',
    ],
    [lifecycle('stopped', 'failed'), { name: 'vmm.exit', fields: { expected: false } }, 'lifecycle stopped failed'],
    [lifecycle('stopped', 'crashed'), { name: 'vmm.exit', fields: { expected: false } }, 'lifecycle stopped crashed'],
    [
      lifecycle('stopped', 'destroyed'),
      { name: 'vmm.exit', fields: { expected: true } },
      'lifecycle stopped destroyed',
    ],
    [
      lifecycle('shutdown', 'guest request'),
      { name: 'vmm.shutdown', fields: { guest: true, reason: 'guest request' } },
      'lifecycle shutdown guest request',
    ],
    [lifecycle('defined', 'added'), undefined, 'lifecycle defined added'],
  ])('%o', (e, event, words) => {
    expect(catalogEventOf(e)).toEqual(event);
    expect(wordsOf(e)).toBe(words);
  });
});
