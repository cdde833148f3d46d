/** Where the machine tests get their QEMU from. */
export { testQemu } from '../../supply/testing/parts.ts';
