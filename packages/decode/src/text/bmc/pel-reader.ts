/**
 * @module Platform event logs of IBM's POWER servers as peltool of OpenBMC prints them, JSON over lines: subsystem and severity stand in the
 * user header, the time in the private header before it, the part in a callout behind it. Sources: openbmc phosphor-logging,
 * extensions/openpower-pels (README: PEL sections; the names of subsystems and severities are those of the Platform Event Log
 * specification); public logs.
 */
import type { BMC } from '../../events/bmc.ts';
import { eventItem } from '../item.ts';
import type { ItemSink } from '../item.ts';
import type { Reader } from '../reader.ts';

export const PEL_NEEDLES: readonly string[] = [
  '"Platform Log Id":',
  '"Created at":',
  '"Event Severity":',
  '"Subsystem":',
];

const MEMBER = /^\s{0,32}"([A-Z][\w ]{2,31})"\s{0,4}:\s{0,48}"([^"]{0,120})",?\s{0,4}$/;
const CLOSES = /^\}\s{0,4}$/;
/** Lines of one log up to its callouts. */
const MAX_LINES = 400;

type Outcome = 'corrected' | 'limit' | 'uncorrected';
/** Severities that say something of an error; others only inform. */
const SEVERITIES: readonly (readonly [word: RegExp, outcome: Outcome])[] = [
  [/^Recovered Error/, 'corrected'],
  [/^Predictive Error/, 'limit'],
  [/^(?:Unrecoverable|Critical) Error|^Error on Diag/, 'uncorrected'],
];
const MEMORY = /^Memory\b/;
const PROCESSOR = /^Processor\b/;

/** The event of a subsystem and a severity; undefined for what is of neither memory nor processors, or no error. */
function eventOf(subsystem: string, severity: string): keyof typeof BMC | undefined {
  const outcome = SEVERITIES.find(([word]) => word.test(severity))?.[1];
  if (outcome === undefined) return undefined;
  if (MEMORY.test(subsystem)) return `bmc-memory-${outcome}`;
  if (!PROCESSOR.test(subsystem)) return undefined;
  return outcome === 'uncorrected' ? 'bmc-processor-uncorrected' : 'bmc-processor-corrected';
}

interface Open {
  firstLine: number;
  lastLine: number;
  said: Map<string, string>;
}

/** Puts the members of one log together. */
export class PelReader implements Reader {
  readonly #sink: ItemSink;
  #open: Open | undefined;

  constructor(sink: ItemSink) {
    this.#sink = sink;
  }

  get wanted(): boolean {
    return this.#open !== undefined;
  }

  get since(): number {
    return this.#open?.firstLine ?? Number.POSITIVE_INFINITY;
  }

  push(text: string, lineNumber: number): boolean {
    const [, name = '', value = ''] = MEMBER.exec(text) ?? [];
    // A log begins with its private header, of which this is the first member that tells.
    if (name === 'Created at') this.end();
    else if (this.#open === undefined) return false;
    const open = (this.#open ??= { firstLine: lineNumber, lastLine: lineNumber, said: new Map() });
    if (lineNumber - open.firstLine > MAX_LINES || CLOSES.test(text)) {
      this.end();
      return false;
    }
    if (name === '') return false;
    if (!open.said.has(name)) open.said.set(name, value);
    if (name === 'Event Severity') open.lastLine = lineNumber;
    return true;
  }

  skipped(lines: number): void {
    if (lines > MAX_LINES) this.end();
  }

  end(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    const { said, firstLine, lastLine } = open;
    const [subsystem = '', severity = ''] = [said.get('Subsystem'), said.get('Event Severity')];
    const name = eventOf(subsystem, severity);
    if (name === undefined || !said.has('Platform Log Id')) return;
    const label = said.get('Location Code') ?? /\bDIMM\d{1,3}$/.exec(said.get('Target') ?? '')?.[0];
    const message = `${subsystem}: ${severity} (platform log ${said.get('Platform Log Id')})`;
    const fields = {
      message,
      time: said.get('Created at') ?? '',
      ...(label === undefined ? {} : { label }),
    };
    this.#sink({ ...eventItem('bmc', firstLine, { name, fields }), lastLine });
  }
}
