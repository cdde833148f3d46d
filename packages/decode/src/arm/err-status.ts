/**
 * @module Error records of Arm's RAS architecture: ERR<n>STATUS and ERR<n>ADDR, in registers of a node or as ERXSTATUS_EL1. Source: DDI
 * 0487 I (RAS System Architecture), "ERR<n>STATUS, Error Record <n> Primary Status Register" and "ERR<n>ADDR, Error Record <n> Address".
 */
import { bit, bits, defineRegister } from '../registers/register.ts';

/** What the node found; 13 to 15 are faults of software. */
const SERR: Readonly<Record<number, string>> = {
  0: 'no error',
  1: 'an error of the implementation',
  2: 'a data value of internal memory',
  3: 'a pin of the implementation',
  4: 'an assertion failed',
  5: 'an internal data path',
  6: 'a data value of a cache',
  7: 'a tag or control value of a cache',
  8: 'a data value of a TLB',
  9: 'a tag or control value of a TLB',
  10: 'a data value from who produced it',
  11: 'an address or control value from who produced it',
  12: 'a data value of external memory (DRAM)',
  13: 'an illegal address (software fault)',
  14: 'an illegal access (software fault)',
  15: 'an illegal state (software fault)',
  16: 'an internal data register',
  17: 'an internal control register',
  18: 'an error response to an access',
  19: 'an external timeout',
  20: 'an internal timeout',
  21: 'a deferred error that the requester cannot take',
  22: 'a deferred error that the completer cannot take',
  23: 'a deferred error passed through from the completer',
  24: 'a deferred error passed through from the requester',
  25: 'an error in the logs of PCI Express',
  26: 'another internal error',
};

const ERR_STATUS = defineRegister({
  name: 'ERR<n>STATUS',
  width: 64,
  source: 'DDI 0487 I (RAS), ERR<n>STATUS',
  fields: [
    bit(31, 'AV', 'ERR<n>ADDR is valid'),
    bit(30, 'V', 'the record holds an error'),
    bit(29, 'UE', 'uncorrected'),
    bit(28, 'ER', 'the requester was told'),
    bit(27, 'OF', 'more errors than this one'),
    bit(26, 'MV', 'ERR<n>MISC are valid'),
    bits(25, 24, 'CE', 'corrected', { 1: 'transient', 2: 'not said how often', 3: 'persistent' }),
    bit(23, 'DE', 'deferred'),
    bit(22, 'PN', 'poison was found'),
    bits(21, 20, 'UET', 'kind of uncorrected error', {
      0: 'uncontainable',
      1: 'unrecoverable',
      2: 'latent or restartable',
      3: 'signalled or recoverable',
    }),
    bit(19, 'CI', 'critical'),
    bits(15, 8, 'IERR', 'code of the implementation'),
    bits(7, 0, 'SERR', 'what was wrong', SERR),
  ],
});

const ERR_ADDR = defineRegister({
  name: 'ERR<n>ADDR',
  width: 64,
  source: 'DDI 0487 I (RAS), ERR<n>ADDR',
  fields: [
    bit(63, 'NS', 'not secure'),
    bit(62, 'SI', 'NS may be wrong'),
    bit(61, 'AI', 'the address is incomplete or wrong'),
    bit(60, 'VA', 'a virtual address'),
    bits(55, 0, 'PADDR', 'address'),
  ],
});

/** Codes of accesses that were refused or not answered: what was accessed is no memory that broke. */
const OF_ACCESS: ReadonlySet<number> = new Set([13, 14, 15, 18, 19]);

interface RasVerdict {
  severity: 'corrected' | 'deferred' | 'uncorrected' | 'access';
  words: string;
}

/** What an error record says; undefined where it holds no error. */
export function rasVerdict(status: bigint): RasVerdict | undefined {
  const s = ERR_STATUS.read(status);
  if (!s.V || !(s.UE || s.DE || s.CE !== 0n)) return undefined;
  const serr = Number(s.SERR);
  const parts = [`${SERR[serr] ?? 'a reserved code'} (SERR 0x${serr.toString(16)})`, `IERR 0x${s.IERR.toString(16)}`];
  if (s.UE) parts.push(ERR_STATUS.fields.find(f => f.name === 'UET')?.values?.[Number(s.UET)] ?? '');
  if (s.OF) parts.push('more errors came');
  if (s.PN) parts.push('poison');
  if (s.CI) parts.push('critical');
  const severity = s.UE ? (OF_ACCESS.has(serr) ? 'access' : 'uncorrected') : s.DE ? 'deferred' : 'corrected';
  return { severity, words: parts.join(', ') };
}

/** The physical address of a record; undefined where its registers do not give one that can be trusted. */
export function rasAddress(status: bigint, addr: bigint | undefined): bigint | undefined {
  if (addr === undefined || !ERR_STATUS.read(status).AV) return undefined;
  const a = ERR_ADDR.read(addr);
  return a.AI || a.VA ? undefined : a.PADDR;
}
