/** @module What Linux says of pages, as user space reads it: entries of 64 bits in files of /proc. */
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
