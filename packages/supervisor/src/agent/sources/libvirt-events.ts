/** @module libvirt's events → events of the catalogue. */
import { event } from '@syndrome/decode/events/event.ts';
import type { LogEvent } from '@syndrome/decode/events/event.ts';
import type { LibvirtEvent } from '@syndrome/qemu/libvirt/events.ts';

/** How a domain ended, where it was meant to. What libvirt calls `failed` or `crashed` was not. */
const MEANT = new Set(['shutdown', 'destroyed', 'migrated', 'saved', 'from snapshot']);

function lifecycleEvent(type: string, detail: string): LogEvent | undefined {
  switch (type) {
    case 'started':
      return event('vmm.start', {});
    case 'suspended':
      return event('vmm.stop', {});
    case 'resumed':
      return event('vmm.resume', {});
    case 'stopped':
      return event('vmm.exit', { expected: MEANT.has(detail) });
    case 'shutdown':
      return event('vmm.shutdown', { guest: detail === 'guest request', reason: detail });
    case 'crashed':
      return event('vmm.guest-panicked', {});
    default:
      // Definitions and sleep change what the VM is, and happen to nobody.
      return undefined;
  }
}

/** What an event means; undefined for one that only says that the domain is to be looked at. */
export function catalogEventOf(e: LibvirtEvent): LogEvent | undefined {
  switch (e.event) {
    case 'memory-failure': {
      const { recipient, action, actionRequired, recursive } = e;
      return event('vmm.memory-failure', { recipient, action, actionRequired, recursive });
    }
    case 'reboot':
      return event('vmm.reset', {});
    case 'watchdog':
      return event('vmm.watchdog', { action: e.action });
    case 'job-completed':
      return event('vmm.event', { type: 'libvirt job-completed' });
    case 'lifecycle':
      return lifecycleEvent(e.type, e.detail);
  }
}

/** The event in libvirt's words, for a person. @example 'lifecycle crashed panicked' */
export function wordsOf(e: LibvirtEvent): string {
  const { event: name, domain: _, ...rest } = e;
  return [
    name,
    ...Object.entries(rest).map(([key, value]) => (typeof value === 'boolean' ? `${key}=${value}` : value)),
  ].join(' ');
}
