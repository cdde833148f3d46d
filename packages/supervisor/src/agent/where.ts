/** @module Where in the hardware an event of the host's kernel says that it was, in the words by which the core counts. */
import { placeOfMca } from '@syndrome/decode/decode/mca-place.ts';
import { type DecodedPlace, placeOfEdac, placeText } from '@syndrome/decode/decode/place.ts';
import type { LogEvent } from '@syndrome/decode/events/event.ts';
import type { SeenEvent } from '../core/said.ts';

/** What names a part together; the cell in it is none of it. */
const PART: ReadonlySet<keyof DecodedPlace> = new Set([
  'node',
  'socket',
  'controller',
  'card',
  'channel',
  'slot',
  'module',
  'rank',
  'chipSelect',
]);
/** Without one of these a channel is named, which has several DIMMs. */
const ONE_DIMM: readonly (keyof DecodedPlace)[] = ['slot', 'module', 'rank', 'chipSelect'];
/** Which of the banks of that number: every driver says it in its line and in its trace event alike. */
const BANK: ReadonlySet<keyof DecodedPlace> = new Set(['rank', 'bankGroup']);
/** Between DIMMs of which it was one (edac_mc of Linux). */
const ONE_OF = ' or ';

function placeOf(event: LogEvent): DecodedPlace | undefined {
  if (event.name === 'host.edac-corrected' || event.name === 'host.edac-uncorrected') return placeOfEdac(event.fields);
  if (event.name !== 'host.mce-record' || event.record?.kind !== 'x86-mca') return undefined;
  return placeOfMca(event.record);
}

function dimmOf(place: DecodedPlace): string | undefined {
  const named = place.label ?? place.fru;
  if (named !== undefined) return named;
  return ONE_DIMM.some(member => place[member] !== undefined) && place.channel !== undefined
    ? placeText(place, member => PART.has(member))
    : undefined;
}

/**
 * DIMM, bank and row of an event; undefined where it does not say which DIMM it was. Of an uncorrected one that was in one of several DIMMs
 * none is named: two of them would be taken for two of one.
 * @example whereOf(…'1 CE memory read error on DIMM_A1 (… rank:0 bg:1 ba:2 row:0x10)') // { dimm: 'DIMM_A1', bank: '2 (rank 0, bank group 1)', row: '0x10' }
 */
export function whereOf(event: LogEvent): SeenEvent['where'] {
  const place = placeOf(event);
  const dimm = place === undefined ? undefined : dimmOf(place);
  if (place === undefined || dimm === undefined) return undefined;
  if (event.name !== 'host.edac-corrected' && dimm.includes(ONE_OF)) return undefined;
  const { bank, row } = place;
  const of = placeText(place, member => BANK.has(member));
  return {
    dimm,
    ...(bank === undefined ? {} : { bank: of === '' ? `${bank}` : `${bank} (${of})` }),
    ...(row === undefined ? {} : { row: `0x${row.toString(16)}` }),
  };
}
