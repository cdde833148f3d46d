import { describe, expect, test } from 'vitest';
import { libvirtEvent } from './libvirt-events.ts';
import type { LibvirtNews } from './libvirt-events.ts';

const lifecycle = (type: string, detail: string): LibvirtNews => ({ event: 'lifecycle', type, detail });

describe('an event of libvirt', () => {
  test.each<[LibvirtNews, object | undefined]>([
    [
      {
        event: 'memory-failure',
        recipient: 'guest',
        action: 'inject',
        actionRequired: true,
        recursive: false,
      },
      {
        name: 'vmm.memory-failure',
        fields: { recipient: 'guest', action: 'inject', actionRequired: true, recursive: false },
      },
    ],
    [lifecycle('crashed', 'panicked'), { name: 'vmm.guest-panicked', fields: {} }],
    [{ event: 'reboot' }, { name: 'vmm.reset', fields: {} }],
    [
      { event: 'watchdog', action: 'reset' },
      { name: 'vmm.watchdog', fields: { action: 'reset' } },
    ],
    [lifecycle('stopped', 'failed'), { name: 'vmm.exit', fields: { expected: false } }],
    [lifecycle('stopped', 'crashed'), { name: 'vmm.exit', fields: { expected: false } }],
    [lifecycle('stopped', 'destroyed'), { name: 'vmm.exit', fields: { expected: true } }],
    [
      lifecycle('shutdown', 'guest request'),
      { name: 'vmm.shutdown', fields: { guest: true, reason: 'guest request' } },
    ],
    [lifecycle('defined', 'added'), undefined],
  ])('%o', (news, event) => {
    expect(libvirtEvent(news)).toEqual(event);
  });
});
