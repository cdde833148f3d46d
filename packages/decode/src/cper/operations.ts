/** @module What a processor was doing, as the error structures of both architectures number it. Source: UEFI 2.10 N.2.4.2, N.2.4.4.1. */

export const TRANSACTION = { 0: 'instruction', 1: 'data access', 2: 'generic' } as const;
export const OPERATION = {
  0: 'generic error',
  1: 'generic read',
  2: 'generic write',
  3: 'data read',
  4: 'data write',
  5: 'instruction fetch',
  6: 'prefetch',
} as const;
