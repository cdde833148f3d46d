/** @module Everything that is public: decode any input, encode, explain and predict. What is not named here is inner. */
export { KVM_CAP_ARM_SEA_TO_USER, KVM_EXIT_ARM_SEA, decodeArmSea, guestEsr } from './arm/kvm.ts';
export { createDecoder, decode } from './decode/decoder.ts';
export { toText } from './decode/to-text.ts';
export { describeRecord } from './mca/describe.ts';
export { MANUALS } from './registers/manuals.ts';
