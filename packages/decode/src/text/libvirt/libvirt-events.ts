/** @module libvirt's events → events of the catalogue, by whichever way they came: its RPC, or the words of virsh. Source: libvirt-domain.h. */
import { event } from '../../events/event.ts';
import type { LogEvent } from '../../events/event.ts';

/** What libvirt tells of a domain. Words of types and details as `virsh domstate --reason` has them, in lower case. */
export type LibvirtNews =
  | { event: 'lifecycle'; type: string; detail: string }
  | { event: 'reboot' }
  | { event: 'watchdog'; action: string }
  | {
      event: 'memory-failure';
      recipient?: string;
      action?: string;
      actionRequired?: boolean;
      recursive?: boolean;
    }
  | { event: 'job-completed' };

/** How a domain ended, where it was meant to. What libvirt calls `failed` or `crashed` was not. */
const MEANT = new Set(['shutdown', 'destroyed', 'migrated', 'saved', 'from snapshot']);

type VmmEvent = LogEvent<Extract<LogEvent['name'], `vmm.${string}`>>;

function lifecycleEvent(type: string, detail: string): VmmEvent | undefined {
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

/**
 * What an event means; undefined for one that only says that the domain is to be looked at.
 * @example libvirtEvent({ event: 'lifecycle', type: 'crashed', detail: 'panicked' }) // { name: 'vmm.guest-panicked', … }
 */
export function libvirtEvent(news: LibvirtNews): VmmEvent | undefined {
  switch (news.event) {
    case 'memory-failure': {
      const { recipient, action, actionRequired, recursive } = news;
      return event('vmm.memory-failure', {
        ...(recipient === undefined ? {} : { recipient }),
        ...(action === undefined ? {} : { action }),
        ...(actionRequired === undefined ? {} : { actionRequired }),
        ...(recursive === undefined ? {} : { recursive }),
      });
    }
    case 'reboot':
      return event('vmm.reset', {});
    case 'watchdog':
      return event('vmm.watchdog', { action: news.action });
    case 'job-completed':
      return event('vmm.event', { type: 'libvirt job-completed' });
    case 'lifecycle':
      return lifecycleEvent(news.type, news.detail);
  }
}
