import { describe, expect, test } from 'vitest';
import { KVM, spiIrqWord } from './ioctl.ts';

describe('request numbers', () => {
  /** As `printf("%#x")` of the macros of linux/kvm.h gives them on arm64. */
  test.each([
    ['GET_API_VERSION', 0xae00],
    ['CREATE_VM', 0xae01],
    ['CHECK_EXTENSION', 0xae03],
    ['CREATE_VCPU', 0xae41],
    ['SET_USER_MEMORY_REGION', 0x4020ae46],
    ['IRQ_LINE', 0x4008ae61],
    ['REGISTER_COALESCED_MMIO', 0x4010ae67],
    ['RUN', 0xae80],
    ['SET_SIGNAL_MASK', 0x4004ae8b],
    ['SET_VCPU_EVENTS', 0x4040aea0],
    ['ENABLE_CAP', 0x4068aea3],
    ['GET_ONE_REG', 0x4010aeab],
    ['SET_ONE_REG', 0x4010aeac],
    ['ARM_VCPU_INIT', 0x4020aeae],
    ['ARM_PREFERRED_TARGET', 0x8020aeaf],
    ['CREATE_DEVICE', 0xc00caee0],
    ['SET_DEVICE_ATTR', 0x4018aee1],
  ] as const)('%s', (name, number) => {
    expect(KVM[name]).toBe(number);
  });

  test('a shared interrupt is of type 1 and numbered from 32', () => {
    expect(spiIrqWord(2)).toBe(0x0100_0022);
  });
});
