/** @module libvirt's events in its words. */
import type { LibvirtEvent } from '@syndrome/qemu/libvirt/events.ts';

/** The event in libvirt's words, for a person. @example 'lifecycle crashed panicked' */
export function wordsOf(e: LibvirtEvent): string {
  const { event: name, domain: _, ...rest } = e;
  return [
    name,
    ...Object.entries(rest).map(([key, value]) => (typeof value === 'boolean' ? `${key}=${value}` : value)),
  ].join(' ');
}
