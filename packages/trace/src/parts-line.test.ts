import { expect, test } from 'vitest';
import { partsLine, runLine } from './parts-line.ts';

test('the line of the parts reads like words, from the outside in', () => {
  const parts = { qemu: '11.1.3 tcg', kernel: '7.2.12 amd64', cpu: 'host × 1', memory: '256 MiB', kernelPath: '/k' };
  expect(partsLine(parts)).toBe('qemu 11.1.3 tcg · kernel 7.2.12 amd64 · cpu host × 1 · memory 256 MiB');
  expect(partsLine({ ...parts, hostKernel: '7.2', host: 'EPYC × 2', hostMemory: '1536 MiB', someThing: 'x' })).toBe(
    'qemu 11.1.3 tcg · host kernel 7.2 · host cpu EPYC × 2 · host memory 1536 MiB · guest kernel 7.2.12 amd64 · ' +
      'guest cpu host × 1 · guest memory 256 MiB · some thing x',
  );
});

test('behind it stands what the run is known by, in short', () => {
  const identity = { run: '0123456789abcdef'.repeat(2), states: [] };
  expect(runLine({ parts: { qemu: '11.1.3', seed: '7' }, identity })).toBe(
    'qemu 11.1.3 · seed 7 · identity 0123456789ab',
  );
  expect(runLine({ parts: {}, identity })).toBe('identity 0123456789ab');
  expect(runLine({ parts: { qemu: '11.1.3' } })).toBe('qemu 11.1.3');
});
