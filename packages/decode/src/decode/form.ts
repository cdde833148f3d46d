/** @module The forms of input that can be asked for. */

/** `auto` looks at the input. */
export const FORMS = [
  'auto',
  'log',
  'value',
  'journal-export',
  'mce-inject',
  'cper',
  'ghes',
  'mce-erst',
  'xen-mcelog',
  'ipmi-sel',
] as const;
export type Form = (typeof FORMS)[number];
