/** @module Where in the machine a machine check was: of its bank, of MCi_MISC, and of whoever wrote it down. */
import { componentOf } from '../mca/component.ts';
import type { Component } from '../mca/component.ts';
import { decidingOf } from '../mca/deciding.ts';
import type { McaDeciding } from '../mca/deciding.ts';
import { miscLayout } from '../mca/describe.ts';
import type { X86McaRecord } from '../mca/record.ts';
import { MCI_STATUS_INTEL } from '../mca/registers.ts';
import { fruText } from '../mca/smca-extra.ts';
import type { Register } from '../registers/register.ts';
import { namesCell, placeOfMisc, placeOrNone } from './place.ts';
import type { DecodedPlace } from './place.ts';

const { MISCV, UC } = MCI_STATUS_INTEL.masks;

/** As much of the place as the unit says that the bank names, and the FRU text. */
export function placeOfUnit(record: McaDeciding, { controller, channel, chipSelect }: Component): DecodedPlace {
  const fru = fruText(record);
  return {
    ...(fru === undefined ? {} : { fru }),
    ...(controller === undefined ? {} : { controller }),
    ...(channel === undefined ? {} : { channel }),
    ...(chipSelect === undefined ? {} : { chipSelect }),
  };
}

/** The layout of MCi_MISC, where that names a cell of DRAM. */
export function cellLayout(record: McaDeciding): Register | undefined {
  const { vendor, status, misc } = record;
  const isValid = vendor === 'intel' && misc !== undefined && (status & MISCV) !== 0n;
  const register = isValid ? miscLayout(record) : undefined;
  return register !== undefined && namesCell(register) ? register : undefined;
}

/**
 * The place of a record, of what is the same for all of its pattern.
 * @param unit as {@link placeOfUnit} gives it
 * @param cell as {@link cellLayout} gives it
 */
export function placeIn(
  { socket, misc, status, said }: X86McaRecord,
  unit: DecodedPlace,
  cell: Register | undefined,
): DecodedPlace | undefined {
  const corrected = (status & UC) === 0n;
  const inDram = cell === undefined || misc === undefined ? undefined : placeOfMisc(cell, misc, corrected);
  const where: DecodedPlace = { ...said, ...inDram, ...unit };
  if ('count' in where) delete where.count;
  if (socket !== undefined) where.socket = socket;
  return placeOrNone(where);
}

/**
 * The place of a record by itself: what `place` of its decoded record is, without the rest of it. For who has few records and
 * asks for nothing else.
 * @example placeOfMca({ kind: 'x86-mca', vendor: 'intel', bank: 7, status: 0x8c00004000010092n, socket: 1 }) // { channel: 2, socket: 1 }
 */
export function placeOfMca(record: X86McaRecord): DecodedPlace | undefined {
  const deciding = decidingOf(record);
  return placeIn(record, placeOfUnit(deciding, componentOf(deciding)), cellLayout(deciding));
}
