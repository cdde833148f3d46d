/** @module What kind of error a record is, from its status register alone. */
import { isDowngradedScrub } from './downgraded.ts';
import type { Downgradable } from './downgraded.ts';
import { MCG_CAP, MCI_STATUS_AMD, MCI_STATUS_INTEL } from './registers.ts';
import type { McaDeciding } from './deciding.ts';
import type { Bits } from '../registers/asked.ts';

/**
 * The class of a machine check:
 * `invalid` VAL=0 · `CE` corrected · `Deferred` AMD, bad data marked and not consumed · `UCNA` uncorrected, no action
 * required · `SRAO` action optional · `SRAR` action required · `UC` uncorrected without a recovery class ·
 * `PCC` processor context corrupt, fatal · `unknown` the vendor is not known and Intel and AMD read it differently.
 */
export type McaClass = 'invalid' | 'CE' | 'Deferred' | 'UCNA' | 'SRAO' | 'SRAR' | 'UC' | 'PCC' | 'unknown';

/** SDM vol. 3B, UCR Error Classification, table "MC Error Classifications". Without SER_P S and AR have no meaning. */
function classifyIntel(status: Bits, ser: boolean): McaClass {
  const s = MCI_STATUS_INTEL.read(status);
  if (!s.VAL) return 'invalid';
  if (!s.UC) return 'CE';
  if (s.PCC) return 'PCC';
  if (!ser) return 'UC';
  // S=0 with AR=1 is not in the table: uncorrected, and nothing more can be said.
  if (s.AR) return s.S ? 'SRAR' : 'UC';
  return s.S ? 'SRAO' : 'UCNA';
}

/** APM vol. 2, Machine-Check Status Registers and the deferred error definition in the PPR. */
function classifyAmd(status: Bits): McaClass {
  const s = MCI_STATUS_AMD.read(status);
  if (!s.VAL) return 'invalid';
  if (s.PCC) return 'PCC';
  if (s.DEFERRED) return 'Deferred';
  return s.UC ? 'UC' : 'CE';
}

/** Classifies a record. Never guesses: without a vendor the answer is `unknown` where the vendors differ. */
export function classify(record: Pick<McaDeciding<Bits>, 'status' | 'vendor' | 'mcgCap'>): McaClass {
  // Every Intel CPU of the last decade and every virtual one has SER_P; a record that says otherwise is believed.
  const ser = record.mcgCap === undefined || MCG_CAP.read(record.mcgCap).SER_P;
  if (record.vendor === 'amd') return classifyAmd(record.status);
  const intel = classifyIntel(record.status, ser);
  if (record.vendor === 'intel') return intel;
  return intel === classifyAmd(record.status) ? intel : 'unknown';
}

/**
 * The class by all that the record says: that of the status register, except where the model-specific code says that an
 * error reported as corrected is none.
 */
export function gradedClass(record: Downgradable): McaClass {
  return isDowngradedScrub(record) ? 'SRAO' : classify(record);
}
