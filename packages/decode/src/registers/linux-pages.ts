/** @module Pages as user space meets them in files of Linux: entries of 64 bits in /proc, and the files by which a kernel is told of pages. */
import { bit, bits, defineRegister } from './register.ts';

const SOURCE = 'Linux Documentation/admin-guide/mm/pagemap.rst';

/** An entry of /proc/PID/pagemap for a page that is present. The frame is 0 for readers without CAP_SYS_ADMIN. */
export const PAGEMAP = defineRegister({
  name: '/proc/PID/pagemap',
  width: 64,
  source: SOURCE,
  fields: [
    bit(63, 'PRESENT', 'page present'),
    bit(62, 'SWAP', 'page swapped'),
    bit(61, 'FILE', 'page of a file, or shared'),
    bit(58, 'GUARD', 'page of a guard region'),
    bit(57, 'UFFD_WP', 'write-protected by userfaultfd'),
    bit(56, 'EXCLUSIVE', 'mapped exclusively'),
    bit(55, 'SOFT_DIRTY', 'soft-dirty'),
    bits(54, 0, 'PFN', 'page frame number'),
  ],
});

/** The same for a page that is swapped, or for which the kernel keeps an entry of its own there. */
export const PAGEMAP_SWAP = defineRegister({
  name: '/proc/PID/pagemap',
  width: 64,
  source: `${SOURCE}, if swapped`,
  fields: [
    bit(63, 'PRESENT', 'page present'),
    bit(62, 'SWAP', 'page swapped'),
    bits(54, 5, 'OFFSET', 'swap offset'),
    bits(4, 0, 'TYPE', 'swap type'),
  ],
});

/** An entry of /proc/kpageflags; what of it matters here. */
export const KPAGEFLAGS = defineRegister({
  name: '/proc/kpageflags',
  width: 64,
  source: SOURCE,
  fields: [bit(19, 'HWPOISON', 'hardware detected memory corruption: do not touch')],
});

/**
 * The files by which a kernel is told of pages of its own. Those below hwpoison take a page frame number, the others an
 * address. Sources: Linux Documentation/mm/hwpoison.rst, Documentation/ABI/testing/sysfs-memory-page-offline.
 */
export const PAGE_FILES = {
  corrupt: '/sys/kernel/debug/hwpoison/corrupt-pfn',
  unpoison: '/sys/kernel/debug/hwpoison/unpoison-pfn',
  softOffline: '/sys/devices/system/memory/soft_offline_page',
  hardOffline: '/sys/devices/system/memory/hard_offline_page',
} as const;
