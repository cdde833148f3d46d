import { expect, test } from 'vitest';
import { CXL_CAPABILITIES, DVSEC_HEADER_1, EXTENDED_CAPABILITY, REGISTER_BLOCK } from './capability-headers.ts';

test('headers of capabilities are read by their fields', () => {
  // AER at 100h with the next one at 148h.
  expect(EXTENDED_CAPABILITY.read(0x1482_0001n)).toMatchObject({ NEXT: 0x148n, VERSION: 2n, ID: 1n });
  // A register locator of CXL (1E98h) of 36 bytes.
  expect(DVSEC_HEADER_1.read(0x0240_1e98n)).toMatchObject({ LENGTH: 36n, VENDOR: 0x1e98n });
  // Component registers, 64 KiB into BAR 0.
  expect(REGISTER_BLOCK.read(0x0001_0100n)).toMatchObject({ OFFSET: 1n, BLOCK: 1n, BAR: 0n });
  expect(CXL_CAPABILITIES.read(0x0511_0001n)).toMatchObject({ COUNT: 5n, ID: 1n });
});
