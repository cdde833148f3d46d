/** @module Which vendor's CPU a record of an unknown one comes from, as far as its values speak for one. */
import type { McaDeciding } from './deciding.ts';
import { softwareShapes } from './lint-shapes.ts';
import { decodeMcacod, errorCodeOf } from './mcacod.ts';
import type { McaVendor } from './record.ts';
import { holdsError } from './registers.ts';

/** A reading that is likelier than the other, and why. */
interface LikelyVendor {
  readonly vendor: McaVendor;
  /** A clause. */
  readonly because: string;
}

const NAMES: Readonly<Record<McaVendor, string>> = { intel: 'Intel', amd: 'AMD' };

/** Whether only QEMU makes such a record, for guests with CPUs of this vendor. */
function isQemus(record: McaDeciding, vendor: McaVendor): boolean {
  const exact = softwareShapes({ ...record, vendor }).map(shape => shape.code);
  return exact.some(code => code.startsWith('L_MCA_QEMU_') && code !== 'L_MCA_QEMU_BROADCAST');
}

/**
 * The likelier vendor; undefined for a record that names its own, and where nothing speaks for one. It is never taken for
 * a fact.
 *
 * @example
 * likelyVendor(decidingOf({ kind: 'x86-mca', bank: 9, status: 0xbd80000000000134n })).vendor // 'intel'
 */
export function likelyVendor(record: McaDeciding): LikelyVendor | undefined {
  if (record.vendor !== undefined || !holdsError(record.status)) return undefined;
  const intel = isQemus(record, 'intel');
  if (intel !== isQemus(record, 'amd')) {
    const vendor = intel ? 'intel' : 'amd';
    return { vendor, because: `it is the record that QEMU makes for an ${NAMES[vendor]} guest` };
  }
  const code = errorCodeOf(record.status);
  const known = (vendor: McaVendor): boolean => decodeMcacod(code, vendor).class !== 'unknown';
  if (known('intel') === known('amd')) return undefined;
  const [vendor, other] = known('intel') ? (['intel', 'amd'] as const) : (['amd', 'intel'] as const);
  const hex = `0x${code.toString(16).padStart(4, '0')}`;
  return { vendor, because: `${NAMES[other]} has no error code ${hex}` };
}

/** What is said of the likelier vendor, a whole sentence. */
export function likelySentence({ vendor, because }: LikelyVendor): string {
  return `${NAMES[vendor]} is likelier: ${because}.`;
}
