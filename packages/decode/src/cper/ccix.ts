/** @module The CCIX error log section. Source: UEFI 2.10 N.2.12; the log itself is of the CCIX specification, which is not public. */
import { SECTION_CCIX } from './guid.ts';
import { u32, u8 } from './layout.ts';
import { numberOf } from './tabled.ts';
import type { Tabled } from './tabled.ts';

export const CCIX: Tabled = {
  type: SECTION_CCIX,
  kind: 'ccix',
  layout: {
    name: 'CCIX section',
    source: 'UEFI 2.10 N.2.12',
    length: 16,
    validation: { at: 4, size: 8 },
    fields: [u32('length', 0), u8('ccixSource', 12, { valid: 0 }), u8('ccixPort', 13, { valid: 1 })],
  },
  least: 16,
  say: body => [
    `Source ${numberOf(body, 'ccixSource') ?? 'unknown'}, port ${numberOf(body, 'ccixPort') ?? 'unknown'}; the error log behind it, ${body.trailing?.length ?? 0} bytes, is kept as it is.`,
  ],
};
