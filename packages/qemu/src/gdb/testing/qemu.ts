/** Where the machine tests get their QEMU from. */
export { testQemu } from '@syndrome/lab/supply/testing/parts.ts';
