import { expect, test } from 'vitest';
import type { LibvirtEvent } from '@syndrome/qemu/libvirt/events.ts';
import { wordsOf } from './libvirt-words.ts';

const domain = { name: 't1', uuid: '83f1535f-99ab-4bf4-89d0-2dfd85d3e3f7', id: 3 };

test.each<[LibvirtEvent, string]>([
  [
    { event: 'memory-failure', domain, recipient: 'guest', action: 'inject', actionRequired: true, recursive: false },
    'memory-failure guest inject actionRequired=true recursive=false',
  ],
  [{ event: 'lifecycle', domain, type: 'crashed', detail: 'panicked' }, 'lifecycle crashed panicked'],
  [{ event: 'reboot', domain }, 'reboot'],
  [{ event: 'watchdog', domain, action: 'reset' }, 'watchdog reset'],
])('%o in words', (e, words) => {
  expect(wordsOf(e)).toBe(words);
});
