/**
 * @module Machine checks of other processors in a log of Linux. POWER: arch/powerpc/kernel/mce.c (since 5.2 with the CPU in each line,
 * before in a block), arch/powerpc/platforms/powernv/opal-hmi.c and opal.c; PowerPC: arch/powerpc/kernel/traps.c; pseries: rtasd.c; s390:
 * arch/s390/kernel/nmi.c; LoongArch and MIPS: arch/loongarch/kernel/traps.c, arch/mips/kernel/traps.c.
 */
import type { KindFields } from '../../events/catalog.ts';
import type { KindEvent } from '../../events/event.ts';
import type { ItemSink } from '../item.ts';
import { MAX_TEXT } from '../patterns.ts';
import { hexU64 } from '../transport/line.ts';
import type { KernelPart } from './kernel-part.ts';

export const OTHER_CPU_NEEDLES: readonly string[] = [
  ': machine check (',
  'Hypervisor Maintenance',
  'Hardware platform error',
  'machine malfunction',
  'Cache error exception',
  'RTAS: event',
  'Oops: Machine check',
  'Oops: machine check',
  'Unrecoverable Machine',
];

type Fields = { -readonly [K in keyof KindFields<'cpu-error-fatal'>]: KindFields<'cpu-error-fatal'>[K] };
type Said = Readonly<Record<string, string | undefined>>;
type Kind = Extract<
  KindEvent['name'],
  'cpu-error-corrected' | 'cpu-error-recovered' | 'cpu-error-uncorrected' | 'cpu-error-fatal' | 'rtas-event'
>;

/** How a first line is read: its named groups are fields. */
interface Head {
  readonly platform: string;
  readonly re: RegExp;
  /** By what the line itself says of the outcome. */
  readonly kind: (said: Said) => Kind;
  /** A line that ends the report: nothing follows of it. */
  readonly alone?: true;
  /** The task that ran was stopped: a panic may follow. */
  readonly isOops?: true;
}

/** Of POWER: `Recovered` of anything but lost data is an entry made anew, or an instruction done again. */
function outcome(said: Said): Kind {
  if (said['end'] === 'Recovered')
    return /^(?:Guest |Host )?UE\b/.test(said['message'] ?? '') ? 'cpu-error-recovered' : 'cpu-error-corrected';
  return said['level'] === 'Fatal' ? 'cpu-error-fatal' : 'cpu-error-uncorrected';
}

/** By severity: LoPAR, RTAS Error/Event Return Format, Severity. Those beyond stand for nothing that is written down. */
const RTAS_SEVERITIES = ['no error', 'event', 'warning', 'synchronous error', 'error', 'fatal'] as const;
const RTAS_WARNING = 2;
const RTAS_FATAL = 5;
/** Types of events that are of the platform, and of no processor and no memory. */
const RTAS_OF_PLATFORM = /^(?:Hotplug|EPOW|Unknown|I\/O|Dump)/i;
/** What Linux says when the task that an Oops stops may not be stopped. */
const PANIC_OF_OOPS = /^Kernel panic - not syncing: (?:Fatal exception|Attempted to kill )/;

const HEADS: readonly Head[] = [
  {
    platform: 'POWER',
    re: /^MCE: CPU(?<cpu>\d{1,6}): machine check \((?<level>Harmless|Warning|Severe|Fatal)\) {1,2}(?<message>(?:Guest |Host )?.{0,96}?) {1,2}(?:DAR: (?<virt>[0-9a-f]{1,16}) )?(?:paddr: (?<addr>[0-9a-f]{1,16}) )?\[(?<end>Recovered|Not recovered)\]$/s,
    kind: outcome,
  },
  {
    platform: 'POWER',
    re: /^(?:(?<level>Harmless|Severe|Fatal) )?(?<message>Machine check interrupt) \[(?<end>Recovered|Not recovered)\]$/,
    kind: outcome,
  },
  {
    platform: 'POWER',
    re: /^(?:(?<level>Harmless|Severe|Fatal) )?(?<message>Hypervisor Maintenance interrupt) \[(?<end>Recovered|Not recovered)\]$/,
    kind: outcome,
  },
  {
    platform: 'POWER',
    re: /^(?:opal: )?(?<message>Hardware platform error: Unrecoverable (?:Machine Check|HMI) exception)/,
    kind: () => 'cpu-error-fatal',
    alone: true,
  },
  {
    platform: 'PowerPC',
    re: /^(?<message>Machine check in (?:kernel|user) mode)\.?$/,
    kind: () => 'cpu-error-uncorrected',
  },
  {
    platform: 'PowerPC',
    re: /^(?<message>Oops: (?:Unrecoverable )?[Mm]achine check), sig: 7 \[#\d/,
    kind: () => 'cpu-error-uncorrected',
    isOops: true,
  },
  {
    platform: 'POWER',
    re: /^(?<message>RTAS: event: \d{1,9}, Type: (?<type>[A-Z][A-Za-z /-]{2,48}?)(?: \(\d{1,3}\))?, Severity: (?<severity>\d))$/,
    kind: ({ type = '', severity = '' }) => {
      if (/^ECC Correctable/i.test(type)) return 'cpu-error-corrected';
      if (RTAS_OF_PLATFORM.test(type)) return 'rtas-event';
      const level = Number(severity);
      if (level <= RTAS_WARNING || level > RTAS_FATAL) return 'rtas-event';
      return level === RTAS_FATAL ? 'cpu-error-fatal' : 'cpu-error-uncorrected';
    },
    alone: true,
  },
  {
    platform: 's390',
    re: /^mcck: (?<message>Terminating task because of machine malfunction) \(code (?:0x)?(?<code>[0-9a-f]{1,16})\)/,
    kind: () => 'cpu-error-recovered',
  },
  {
    platform: 'LoongArch or MIPS',
    re: /^(?<message>Cache error exception)(?: on CPU(?<cpu>\d{1,6}))?:?$/,
    kind: () => 'cpu-error-fatal',
  },
];

/** What the lines behind the first add: named groups are fields, `more` goes on with the message. */
const MORE: readonly RegExp[] = [
  /^MCE: CPU(?<cpu>\d{1,6}): PID: (?<pid>\d{1,10}) Comm: (?<comm>.{1,64}?) (?:Guest )?NIP: \[(?<nip>[0-9a-f]{1,16})\](?: paddr: (?<addr>[0-9a-f]{1,16}))?/s,
  /^MCE: CPU(?<cpu>\d{1,6}): NIP: \[(?<nip>[0-9a-f]{1,16})\](?: [^\s]{1,128})?(?: paddr: (?<addr>[0-9a-f]{1,16}))?/,
  /^MCE: CPU(?<cpu>\d{1,6}): Initiator \w/,
  /^MCE: CPU(?<cpu>\d{1,6}): (?<more>(?:Probable )?(?:Hardware|hardware|Software|software) error(?: \([^)]{1,64}\))?|Unknown)$/,
  /^NIP:? \[(?<nip>[0-9a-f]{1,16})\](?:: .{0,128}| PID: (?<pid>\d{1,10}) Comm: (?<comm>.{1,64}))?$/s,
  /^Initiator: ./,
  /^Error type: (?<more>.{1,96})$/,
  /^Effective address: (?<virt>[0-9a-f]{1,16})$/,
  /^Physical address: {1,4}(?<addr>[0-9a-f]{1,16})$/,
  /^Error detail: (?<more>.{1,128})$/,
  /^(?:HMER|TFMR): (?<code>[0-9a-f]{16})$/,
  /^CPU PIR: [0-9a-f]{8}$/,
  /^(?<more>\[Unit: .{1,96})$/,
  /^Caused by \(from (?:MCSR|SRR1)=(?<code>[0-9a-f]{1,16})\): {0,2}(?<more>.{0,128})$/,
  /^mcck: task: (?<comm>.{1,64}), pid: (?<pid>\d{1,10})\.$/s,
  /^csr_merrctl == (?<code>[0-9a-f]{8})$/,
  /^csr_merrera == (?<nip>[0-9a-f]{16})$/,
  /^cp0_errorepc == (?<nip>[0-9a-f]{8,16})$/,
  /^c0_cacheerr == (?<code>[0-9a-f]{8,16})$/,
  /^Decoded c0_cacheerr: (?<more>.{1,96})$/,
  // What a register of PowerPC says, one line a bit.
  /^(?<more>(?:Guarded )?(?:Load|Store) Error Report|Bus error|(?:Instruction|Data) Cache (?:Push )?Parity Error|Bus - .{1,48})$/,
];
const UNKNOWN = 'Unknown';

/** Other lines between those of a report, and reports of which more may come. */
const MAX_OTHERS = 8;
/** Lines of registers and calls between an Oops and the panic for it. */
const MAX_OF_OOPS = 96;
const MAX_OPEN = 16;

interface Open {
  kind: Kind;
  fields: Fields;
  firstLine: number;
  lastLine: number;
  others: number;
  isOops: boolean | undefined;
}

export class OtherCpuLines implements KernelPart {
  readonly #sink: ItemSink;
  /** In the order of their first lines: those of several CPUs may stand among each other. */
  readonly #open: Open[] = [];

  constructor(sink: ItemSink) {
    this.#sink = sink;
  }

  get since(): number {
    return this.#open[0]?.firstLine ?? Number.POSITIVE_INFINITY;
  }

  /** The lines behind the first hold no word to look for. */
  get wanted(): boolean {
    return this.#open.length > 0;
  }

  take(text: string, lineNumber: number, firstLine = lineNumber): boolean {
    if (PANIC_OF_OOPS.test(text)) {
      this.#panic(lineNumber);
      // The line is one of its own, too.
      return false;
    }
    for (const { re, platform, kind, alone, isOops } of HEADS) {
      const said = re.exec(text)?.groups;
      if (said === undefined) continue;
      this.#begin(kind(said), platform, said, firstLine, lineNumber, isOops);
      if (alone === true) this.#close(this.#open.length - 1);
      return true;
    }
    return this.#open.length > 0 && this.#more(text, lineNumber);
  }

  skipped(lines: number): void {
    for (const open of this.#open) open.others += lines;
    for (let at = this.#open.length - 1; at >= 0; at--) {
      const { isOops, others } = this.#open[at] as Open;
      if (others > (isOops === true ? MAX_OF_OOPS : MAX_OTHERS)) this.#close(at);
    }
  }

  end(): void {
    while (this.#open.length > 0) this.#close(0);
  }

  #begin(
    kind: Kind,
    platform: string,
    said: Said,
    firstLine: number,
    lastLine: number,
    isOops: boolean | undefined,
  ): void {
    const fields: Fields = { platform, message: (said['message'] ?? '').trim() };
    const { level, severity } = said;
    if (level !== undefined) fields.message += `, ${level.toLowerCase()}`;
    if (severity !== undefined) fields.message += `: ${RTAS_SEVERITIES[Number(severity)] ?? 'unknown'}`;
    if (said['end'] !== undefined) fields.message += `, ${said['end'].toLowerCase()}`;
    // A second first line of the same CPU: the report before it is over.
    const before = this.#open.findIndex(o => o.fields.cpu === numberOf(said['cpu']));
    if (before >= 0) this.#close(before);
    if (this.#open.length >= MAX_OPEN) this.#close(0);
    const open: Open = { kind, fields, firstLine, lastLine, others: 0, isOops };
    this.#open.push(open);
    add(open, said);
  }

  /** Linux panics for the last Oops. */
  #panic(lineNumber: number): void {
    const at = this.#open.findLastIndex(({ isOops }) => isOops === true);
    const open = this.#open[at];
    if (open === undefined) return;
    open.kind = 'cpu-error-fatal';
    open.fields.message = `${open.fields.message}, panic`;
    open.lastLine = lineNumber;
    this.#close(at);
  }

  #more(text: string, lineNumber: number): boolean {
    for (const re of MORE) {
      const said = re.exec(text)?.groups ?? (re.test(text) ? {} : undefined);
      if (said === undefined) continue;
      const cpu = numberOf(said['cpu']);
      const open = cpu === undefined ? this.#open.at(-1) : this.#open.findLast(o => o.fields.cpu === cpu);
      if (open === undefined) return false;
      open.lastLine = lineNumber;
      open.others = 0;
      add(open, said);
      const { more } = said;
      if (more !== undefined && more !== UNKNOWN && more.trim() !== '')
        open.fields.message = `${open.fields.message}, ${more.trim()}`.slice(0, MAX_TEXT);
      return true;
    }
    return false;
  }

  #close(at: number): void {
    const [open] = this.#open.splice(at, 1);
    if (open === undefined) return;
    const { kind, fields, firstLine, lastLine } = open;
    // What kind of error an interrupt was is told in a line of its own.
    const name = kind === 'cpu-error-corrected' && /, UE \[/.test(fields.message) ? 'cpu-error-recovered' : kind;
    this.#sink({ type: 'event', form: 'linux', name, fields, firstLine, lastLine });
  }
}

const numberOf = (digits: string | undefined): number | undefined =>
  digits === undefined ? undefined : Number(digits);

function add({ fields }: Open, said: Said): void {
  const [cpu, pid] = [numberOf(said['cpu']), numberOf(said['pid'])];
  if (cpu !== undefined) fields.cpu ??= cpu;
  if (pid !== undefined) fields.pid ??= pid;
  if (said['comm'] !== undefined) fields.comm ??= said['comm'];
  for (const name of ['virt', 'addr', 'nip', 'code'] as const) {
    const value = hexU64(said[name]);
    if (value !== undefined) fields[name] ??= value;
  }
}
