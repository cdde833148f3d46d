import { expect, test } from 'vitest';
import { requireQemu } from './qemu-needs.ts';

test.each(['5.2.0', '5.9', '2.12'])('QEMU %s is skipped, for it cannot be told what the lab needs', version => {
  expect(() => requireQemu({ version })).toThrow(
    expect.objectContaining({ code: 'E_LAB_QEMU_OLD', message: expect.stringContaining(version) as string }),
  );
});

test.each(['6.0', '6.0.0', '7.2.22', '10.0.2'])('QEMU %s is taken', version => {
  expect(() => requireQemu({ version })).not.toThrow();
});
