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
type Kind = Extract<
  KindEvent['name'],
  'cpu-error-corrected' | 'cpu-error-recovered' | 'cpu-error-uncorrected' | 'cpu-error-fatal'
>;

/** How a first line is read: its named groups are fields. */
interface Head {
  readonly platform: string;
  readonly re: RegExp;
  /** By what the line itself says of the outcome. */
  readonly kind: (said: Readonly<Record<string, string | undefined>>) => Kind | undefined;
  /** A line that ends the report: nothing follows of it. */
  readonly alone?: true;
}

/** Of POWER: `Recovered` of anything but lost data is an entry made anew, or an instruction done again. */
function outcome(said: Readonly<Record<string, string | undefined>>): Kind {
  if (said['end'] === 'Recovered')
    return /^(?:Guest |Host )?UE\b/.test(said['message'] ?? '') ? 'cpu-error-recovered' : 'cpu-error-corrected';
  return said['level'] === 'Fatal' ? 'cpu-error-fatal' : 'cpu-error-uncorrected';
}

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
    kind: () => 'cpu-error-fatal',
    alone: true,
  },
  {
    // PAPR, RTAS error return format: 5 fatal, 4 and 3 errors, 2 warning, 1 event.
    platform: 'POWER',
    re: /^(?<message>RTAS: event: \d{1,9}, Type: (?<type>[A-Z][A-Za-z /-]{2,48}?)(?: \(\d{1,3}\))?, Severity: (?<level>\d))$/,
    kind: ({ type = '', level = '' }) => {
      if (/^ECC Correctable/i.test(type)) return 'cpu-error-corrected';
      if (/^(?:Hotplug|EPOW|Unknown|I\/O|Dump)/i.test(type) || level < '3') return undefined;
      return level === '5' ? 'cpu-error-fatal' : 'cpu-error-uncorrected';
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
const MAX_OPEN = 16;

interface Open {
  kind: Kind;
  fields: Fields;
  firstLine: number;
  lastLine: number;
  others: number;
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
    for (const { re, platform, kind, alone } of HEADS) {
      const said = re.exec(text)?.groups;
      if (said === undefined) continue;
      const of = kind(said);
      if (of === undefined) return true;
      this.#begin(of, platform, said, firstLine, lineNumber);
      if (alone === true) this.#close(this.#open.length - 1);
      return true;
    }
    return this.#open.length > 0 && this.#more(text, lineNumber);
  }

  skipped(lines: number): void {
    for (const open of this.#open) open.others += lines;
    while ((this.#open[0]?.others ?? 0) > MAX_OTHERS) this.#close(0);
  }

  end(): void {
    while (this.#open.length > 0) this.#close(0);
  }

  #begin(
    kind: Kind,
    platform: string,
    said: Readonly<Record<string, string | undefined>>,
    firstLine: number,
    lastLine: number,
  ): void {
    const fields: Fields = { platform, message: (said['message'] ?? '').trim() };
    const level = said['level'] ?? '';
    if (/^[A-Z]/.test(level)) fields.message += `, ${level.toLowerCase()}`;
    if (said['end'] !== undefined) fields.message += `, ${said['end'].toLowerCase()}`;
    // A second first line of the same CPU: the report before it is over.
    const before = this.#open.findIndex(o => o.fields.cpu === numberOf(said['cpu']));
    if (before >= 0) this.#close(before);
    if (this.#open.length >= MAX_OPEN) this.#close(0);
    const open = { kind, fields, firstLine, lastLine, others: 0 };
    this.#open.push(open);
    add(open, said);
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

function add({ fields }: Open, said: Readonly<Record<string, string | undefined>>): void {
  const [cpu, pid] = [numberOf(said['cpu']), numberOf(said['pid'])];
  if (cpu !== undefined) fields.cpu ??= cpu;
  if (pid !== undefined) fields.pid ??= pid;
  if (said['comm'] !== undefined) fields.comm ??= said['comm'];
  for (const name of ['virt', 'addr', 'nip', 'code'] as const) {
    const value = hexU64(said[name]);
    if (value !== undefined) fields[name] ??= value;
  }
}
