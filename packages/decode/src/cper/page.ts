/** @module The memory a firmware record names. */
import { PAGE_LSB, dropBelow, pagesOf, pfnOf, sizeOf } from '../registers/address.ts';
import type { Pfn } from '../registers/address.ts';
import { hasBit } from '../registers/field.ts';
import { armErrorTypeNames } from './arm.ts';
import type { CperBody, CperRecord } from './record.ts';

interface CperPage {
  /** Start of the affected memory, aligned to its granularity. */
  address: bigint;
  /** First 4 KiB page. */
  pfn: Pfn;
  /** log2 of the affected size in bytes; 12 where the record has no mask, because a page is what is acted on. */
  lsb: number;
  /** Number of 4 KiB pages touched, at least 1. */
  pages: bigint;
  /** Index of the section it is from. */
  section: number;
}

/**
 * log2 of the size an address mask leaves open: the number of its low zero bits. Undefined when the mask is 0 or has
 * zero bits between set ones, because then the affected addresses are not one block. Zero bits above the highest set one
 * are bits the platform's addresses do not have.
 */
export function maskLsb(mask: bigint): number | undefined {
  if (mask <= 0n) return undefined;
  let lsb = 0;
  while (!hasBit(mask, lsb)) lsb++;
  const ones = mask / sizeOf(lsb);
  return (ones & (ones + 1n)) === 0n ? lsb : undefined;
}

function ref(raw: bigint, lsb: number, section: number): CperPage {
  const address = dropBelow(raw, lsb);
  return {
    address,
    pfn: pfnOf(address),
    lsb,
    pages: pagesOf(lsb),
    section,
  };
}

/** The pages of one section body: memory sections with an address, cache errors of an ARM processor with one. */
export function pagesOfBody(body: CperBody, section = 0): CperPage[] {
  if (body.kind === 'memory' || body.kind === 'memory2') {
    if (body.physicalAddress === undefined) return [];
    const mask = body.physicalAddressMask;
    return [ref(body.physicalAddress, (mask === undefined ? undefined : maskLsb(mask)) ?? PAGE_LSB, section)];
  }
  if (body.kind === 'arm-processor') {
    return body.errors.flatMap(e =>
      e.physicalAddress !== undefined && armErrorTypeNames(e.type ?? 0, e.version).includes('cache error')
        ? [ref(e.physicalAddress, PAGE_LSB, section)]
        : [],
    );
  }
  return [];
}

/** Every page a record names, in the order of its sections. */
export function pagesOfCper(record: CperRecord): CperPage[] {
  return record.sections.flatMap((s, i) => pagesOfBody(s.body, i));
}
