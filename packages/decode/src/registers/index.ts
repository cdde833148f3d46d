/** @module Field tables over bigint. */
export { RegisterError, bit, bits, defineRegister } from './register.ts';
export type { BitField, BitsField, Decoded, Field, FieldRow, Register } from './register.ts';
export type { RecordOrigin } from './origin.ts';
