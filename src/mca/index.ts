/** @module The machine check room: record, registers, error codes, class, explanation, named records. */
export type { McaVendor, RecordOrigin, X86McaRecord } from './record.ts';
export { ADDRESS_MODE_PHYSICAL, MCG_CAP, MCG_STATUS, MCI_MISC, MCI_STATUS_AMD, MCI_STATUS_INTEL } from './registers.ts';
export { decodeMcacod } from './mcacod.ts';
export type { Mcacod, McacodClass } from './mcacod.ts';
export { classify } from './classify.ts';
export type { McaClass } from './classify.ts';
export { pageOf, pfnOf } from './page.ts';
export type { PageRef, Pfn } from './page.ts';
export { explain } from './explain.ts';
export { NAMED_MCA, namedMca } from './named.ts';
export type { NamedMca } from './named.ts';
