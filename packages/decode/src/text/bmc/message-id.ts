/**
 * @module Events of Redfish that name their message by its id alone, with what stands in its gaps beside it (DSP0268, MessageId and
 * MessageArgs). Sources: OpenBMC's registry (bmcweb, registries/openbmc), HPE's iLO Event registry.
 */
import type { BMC } from '../../events/bmc.ts';

interface Registered {
  /** Registry and key, without the version between them. */
  readonly id: RegExp;
  readonly event: keyof typeof BMC;
  /** Its text; `%1` is the first argument. */
  readonly text: string;
}

const MESSAGES: readonly Registered[] = [
  {
    id: /^OpenBMC\.[\d.]{1,12}\.MemoryECCUncorrectable$/,
    event: 'bmc-memory-uncorrected',
    text: 'Memory ECC uncorrectable error. Socket=%1 Channel=%2 DIMM=%3 Rank=%4.',
  },
  {
    id: /^OpenBMC\.[\d.]{1,12}\.MemoryECCCorrectable$/,
    event: 'bmc-memory-corrected',
    text: 'Memory ECC correctable error. Socket=%1 Channel=%2 DIMM=%3 Rank=%4.',
  },
  {
    id: /^iLOEvents\.[\d.]{1,12}\.CorrectableOrUncorrectableMemoryErrors$/,
    event: 'bmc-memory-limit',
    text: 'Correctable or uncorrectable Memory Errors Detected for the memory module in slot %1, cpu %2, riser %3, socket %4.',
  },
];

/** Words of which every such id holds one. */
export const MESSAGE_ID_NEEDLES: readonly string[] = ['.MemoryECC', 'rrectableMemoryErrors'];

/** `OpenBMC.0.1.MemoryECCUncorrectable` in quotes, behind `REDFISH_MESSAGE_ID=`, or before arguments with commas. */
const ID = /(?:^|[\s"'=])((?:OpenBMC|iLOEvents)\.[\d.]{1,12}\.\w{8,48})(?=["'\s,]|$)/;
/** Arguments in an array of JSON, or with commas behind the id, as OpenBMC keeps them. */
const ARGUMENTS = /"MessageArgs"\s{0,4}:\s{0,4}\[([^\]]{0,400})\]?/;
const BEHIND = /^,([^"]{1,200})$/;

interface ById {
  event: keyof typeof BMC;
  /** With its arguments, as far as they are there. */
  message: string;
  /** Arguments that are still to come. */
  missing: number;
}

const argumentsIn = (text: string): string[] =>
  text
    .split(',')
    .map(word => word.trim().replaceAll(/^"|"$/g, ''))
    .filter(word => word !== '');

/** The message that a line names by its id; undefined where it names none that is known. */
export function messageById(text: string): ById | undefined {
  const found = ID.exec(text);
  const known = found === null ? undefined : MESSAGES.find(m => m.id.test(found[1] ?? ''));
  if (found === null || known === undefined) return undefined;
  const said = ARGUMENTS.exec(text)?.[1] ?? BEHIND.exec(text.slice(found.index + found[0].length).trimEnd())?.[1];
  return { event: known.event, ...filled(known.text, said === undefined ? [] : argumentsIn(said)) };
}

/** Puts arguments into the gaps of a text, the first that are open first. */
export function filled(text: string, values: readonly string[]): { message: string; missing: number } {
  let at = 0;
  const message = text.replaceAll(/%\d/g, gap => (at < values.length ? (values[at++] ?? gap) : gap));
  return { message, missing: (message.match(/%\d/g) ?? []).length };
}

/** Whether a line opens an array of arguments that is laid out over several. */
export const opensArguments = (text: string): boolean => /^\s{0,40}"MessageArgs"\s{0,4}:\s{0,4}\[\s{0,4}$/.test(text);

/** An argument in a line of its own. */
export const argumentOf = (text: string): string | undefined =>
  /^\s{0,40}"?([^"{}[\]:]{1,64}?)"?,?\s{0,4}$/.exec(text)?.[1];

/** Without the gaps that nothing is known for, and what names them. */
export const withoutGaps = (message: string): string =>
  message.replace(/[ ,]{0,2}(?:\w{1,16}[= ]){0,2}%\d.{0,200}$/, '');
