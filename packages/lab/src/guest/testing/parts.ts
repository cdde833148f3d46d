/** What the machine tests run on. */
export { testFirmware, testKernel, testQemu, testToolchain } from '../../supply/testing/parts.ts';
