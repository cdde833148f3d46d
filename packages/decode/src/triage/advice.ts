/**
 * @module What to do about an error in the light of all that the log says of it: the next step of a record is written without what
 * stands around it. Each rule says what decides it, what is to be done, and which sentences of a record it takes back.
 */
import { hex64 } from '../common/hex.ts';
import { RECORD_ROWS, recordName } from '../events/records.ts';
import type { DecodedSeverity } from '../decode/record.ts';
import { thousands } from '../decode/count.ts';
import { fateOf } from './fate.ts';
import type { Fate } from './fate.ts';
import type { Incident } from './incident.ts';
import { cameAsException, fieldsOf, isCorrected, isFirmwareBank, isNoFailure, isOfGuest, rankOf } from './witness.ts';
import type { Witness } from './witness.ts';

interface Facts {
  severity: DecodedSeverity;
  fate: Fate;
  /** The record that says most of the error. */
  telling: Witness;
  witnesses: readonly Witness[];
  /** Corrected errors of the part in the whole input, and in how many hours; undefined where no clock says. */
  corrected: number;
  hours: number | undefined;
  /** Of the memory that failed, as its records name it; undefined where they name none, or where it is no memory. */
  memory: string | undefined;
  part: string | undefined;
  ofEarlierBoot: boolean;
  inGuest: boolean;
  isOtherPage: boolean;
}

interface Rule {
  /** Named by reports in JSON and by tests. */
  id: string;
  when: (facts: Facts) => boolean;
  say: (facts: Facts) => string;
  /** Sentences of a record that are not true then. */
  takesBack?: RegExp;
  /** No later rule says more. */
  ends?: true;
}

export interface Advice {
  /** By rules, the first first; what is left of the records' own words stands in `steps`. */
  actions: string[];
  because: string[];
  steps: string[];
}

const PARAVISOR = recordName('paravisor-machine-check');

/** VMMs whose threads get SIGBUS for memory of their guests. */
const VMM = /^(?:qemu|CPU \d|kvm|cloud-hyp|firecracker|crosvm|vhost|vcpu)/i;

const isLost = (severity: DecodedSeverity): boolean => rankOf(severity) < rankOf('deferred');
const GOES_ON =
  /may go on|Take the page out of use|out of use before|kill what used it|needs no reset|exception came with it|Replace the (?:DIMM|module) it names/i;
const PAGE_STEPS =
  /Take the page out of use|take it out of use|For Ignored and Failed|Otherwise look for the|Look for the recovery|Look for (?:the )?`Memory f|Without an address in the record|^Plan a restart|It hands? on|Nothing to do for the page, unless/i;
/** Of a line that speaks of the records before it: beside one of these it says nothing. */
const OF_BEFORE = /^Look at the (?:records?|banks) before it/;
const ELSEWHERE = /The cache only noticed|The core only used the data/;
const SIGNAL_STEPS = /If the process is a VMM|whether the process died|Otherwise look for the/i;

/** A cache or a core is not to be had by itself. */
const isProcessor = ({ record: { component } }: Witness): boolean =>
  component?.area === 'cache' || component?.area === 'core';

/** A label or FRU is a module; a channel has one or several. */
function replaceOf({ memory = '', witnesses }: Facts): string {
  // mcelog writes `any` where the registers do not say which.
  const isNamed =
    witnesses.some(({ place }) => place?.label !== undefined || place?.fru !== undefined) && !/\bany\b/.test(memory);
  return isNamed ? `replace ${memory}` : `find and replace the DIMM of ${memory}`;
}

/**
 * The first that fits is said first. Sources: mm/memory-failure.c (results of recovery actions), arch/x86/kernel/cpu/mce/core.c
 * (mce_panic, machine_check_poll), drivers/edac/amd64_edac.c; SDM vol. 3B, IA32_MCG_STATUS MSR and Overwrite Rules.
 */
const RULES: readonly Rule[] = [
  {
    id: 'test',
    when: f => f.fate.test === true,
    say: () => 'somebody asked Linux to treat the page as bad: replace nothing for it',
    takesBack: /./,
    ends: true,
  },
  {
    id: 'no-failure',
    when: f => f.witnesses.some(isNoFailure),
    say: () => 'replace nothing for it: it is known to be no failure',
    ends: true,
  },
  {
    id: 'paravisor',
    when: f => f.witnesses.some(w => w.record.class === PARAVISOR),
    say: f => {
      const gpa = f.witnesses.map(w => fieldsOf(w.record)['gpa']).find(value => typeof value === 'bigint');
      return `replace nothing for it: the paravisor made this machine check. Look what the guest maps at ${gpa === undefined ? 'its address' : hex64(gpa)}`;
    },
    takesBack: /^Look for what raised it|^Look what the guest maps/,
    ends: true,
  },
  {
    id: 'earlier-boot',
    when: f => f.ofEarlierBoot && f.fate.machine === undefined,
    say: () => 'no reset for it: it is of the boot before this one; look for what ended that',
    takesBack:
      /must be reset|may go on|Do not trust what ran|Take the page out of use|needs no reset|found it in its bank when/,
    ends: true,
  },
  {
    id: 'machine-down',
    when: f => f.fate.machine !== undefined && f.fate.machine !== 'reset' && !f.inGuest,
    say: f =>
      f.memory === undefined
        ? 'keep the machine out of service until the cause is known'
        : `${replaceOf(f)} before the machine serves again`,
    takesBack: new RegExp(`${GOES_ON.source}|Look at the records before it|Look at the banks`, 'i'),
  },
  {
    id: 'other-page',
    when: f => f.isOtherPage,
    say: () =>
      'the page that Linux handled is not the bad one: it took the address of the memory channel for one of the system',
    takesBack: PAGE_STEPS,
  },
  {
    id: 'page-in-use',
    when: f => f.fate.machine === undefined && f.fate.page === 'in use' && !f.isOtherPage,
    say: () => 'restart the machine soon: whoever touches the page next takes a machine check',
    takesBack: PAGE_STEPS,
  },
  {
    id: 'page-leaving',
    when: f => f.fate.machine === undefined && f.fate.page === 'leaving',
    say: () => 'restart what holds the page',
    takesBack: PAGE_STEPS,
  },
  {
    id: 'page-not-moved',
    when: f => f.fate.page === 'weak, not moved',
    say: () => 'nothing was lost, but the weak page could not be moved: restart the machine when you can',
    takesBack:
      /^Nothing was lost; act when|Nothing to do for the page, unless|^Restart the machine when you can|Read it together/,
  },
  {
    id: 'page-gone',
    when: f => f.fate.machine === undefined && f.fate.page === 'taken away' && !f.isOtherPage,
    say: f => (f.memory === undefined && f.fate.processes.length === 0 ? 'nothing more to do for the page' : ''),
    takesBack: new RegExp(`${PAGE_STEPS.source}|Do not trust what ran`, 'i'),
  },
  {
    id: 'source-known',
    // The record of the memory stands in the input: nobody has to look for it.
    when: f =>
      ELSEWHERE.test(f.telling.record.nextStep) &&
      f.witnesses.some(w => w !== f.telling && w.reporter !== 'kernel' && isOfMemory(w)),
    say: () => '',
    takesBack: ELSEWHERE,
  },
  {
    id: 'signalled',
    when: f => f.fate.processes.length > 0 && f.fate.machine === undefined,
    say: ({ fate: { processes } }) => {
      const named = processes.filter(name => name !== 'a process');
      if (named.length === 0) return 'restart what was killed';
      const vmms = named.filter(name => VMM.test(name));
      const others = named.filter(name => !VMM.test(name));
      const said = vmms.length === 0 ? [] : [`look at the guest of ${vmms.join(', ')}`];
      return [...(others.length === 0 ? [] : [`restart ${others.join(', ')}`]), ...said].join('; ');
    },
    takesBack: SIGNAL_STEPS,
  },
  {
    id: 'guest',
    when: f => f.inGuest,
    // Whose record says itself where on the host to look, says more.
    say: ({ telling: { record } }) =>
      /\bhost's\b/.test(record.nextStep)
        ? 'look on the host: this is a record of a virtual machine'
        : 'look at the log of the host at the same moment: this is a record of a virtual machine',
  },
  {
    id: 'replace-memory',
    when: f => f.memory !== undefined && isLost(f.severity) && f.fate.machine === undefined && !f.inGuest,
    say: replaceOf,
    takesBack: /^Replace the (?:DIMM|module) it names/,
  },
  {
    id: 'yellow',
    when: f => f.telling.record.threshold === 'yellow' && isCorrected(f.severity),
    say: f =>
      `replace the ${isProcessor(f.telling) ? 'processor' : 'unit'}${f.part === undefined ? '' : ` (${f.part})`}: it corrects more than its vendor allows`,
    takesBack: /^Nothing was lost; act when/,
  },
  {
    id: 'many-counted',
    when: f =>
      isCorrected(f.severity) && f.part !== undefined && isMany(f) && f.telling.isTotal && f.hours === undefined,
    say: f =>
      `read the count of ${f.part ?? ''} again after a day: ${MANY} more mean that it is to be replaced; the input does not say in how long the ${thousands(f.corrected)} came`,
    takesBack: /^Nothing was lost; act when|^Count them by/,
    ends: true,
  },
  {
    id: 'many-corrected',
    when: f => isCorrected(f.severity) && f.part !== undefined && isMany(f) && f.telling.record.threshold !== 'yellow',
    say: f => `plan to replace ${f.part ?? ''}: ${thousands(f.corrected)} corrected errors${spanText(f.hours)}`,
    takesBack: /^Nothing was lost; act when|^Count them by/,
  },
];

/** What mcelog warns of where nobody says otherwise: 10 of one DIMM in 24 hours (mcelog.conf, [dimm]). */
const MANY = 10;
const DAY = 24;

const isMany = ({ corrected, hours = DAY }: Facts): boolean =>
  corrected >= MANY && (corrected * DAY) / Math.max(hours, DAY) >= MANY;

function spanText(hours: number | undefined): string {
  if (hours === undefined) return ' in this input';
  if (hours < 1) return hours * 60 < 1 ? ' within a minute' : ` in ${Math.round(hours * 60)} min`;
  return hours < 2 * DAY ? ` in ${Math.round(hours)} h` : ` in ${Math.round(hours / DAY)} days`;
}

/** Sentences, where one ends and another begins with a capital. */
export const sentences = (text: string): string[] => text.split(/(?<=\.) (?=[A-Z])/);

/**
 * Linux logs an uncorrected error without an exception only where it looks into the banks at its start (machine_check_poll with
 * MCP_UC), but for the classes that need none, UCNA and deferred ones.
 */
function isLeftOver({ record, reporter, severity }: Witness): boolean {
  if (record.raw.kind === 'cper') return record.raw.previousBoot === true;
  if (record.raw.kind !== 'x86-mca') return false;
  if (record.raw.within === 'previous-boot' || record.raw.within === 'start') return true;
  if (reporter !== 'machine-check' || !OF_LINUX.has(record.source.from) || record.bank === undefined) return false;
  // The poll of a machine that runs has the time; that at the start has none.
  if ((record.raw.tsc ?? 0n) !== 0n) return false;
  return isLost(severity) && cameAsException(record) === false && !isFirmwareBank(record);
}
/** Forms in which Linux, or mcelog after it, gives banks. */
const OF_LINUX: ReadonlySet<string> = new Set(['linux', 'mcelog', 'journal-export', 'journal-json']);

/** Whether an incident is known to be of an earlier boot: all that witnessed the error itself say so. */
export function isOfEarlierBoot(witnesses: readonly Witness[]): boolean {
  const telling = witnesses.filter(w => w.reporter !== 'kernel' && w.reporter !== 'driver');
  return telling.length > 0 && telling.every(isLeftOver);
}

/** Whether the page that Linux handled is that of an address within a memory channel: of AMD's memory controllers. */
export function isOtherPage({ assumed, witnesses }: Incident): boolean {
  return (
    assumed !== undefined &&
    witnesses.some(
      ({ rawPfn, record: { raw, component } }) =>
        rawPfn === assumed && raw.kind === 'x86-mca' && raw.vendor === 'amd' && component?.area === 'memory',
    )
  );
}

/** Records that say which memory it was, not only that a unit met bad data. */
function isOfMemory({ reporter, record, place }: Witness): boolean {
  // A driver of another part with ECC says which instance of it.
  if (reporter === 'driver') return fieldsOf(record)['instance'] === undefined;
  if (reporter === 'controller') return record.class.startsWith('bmc-memory') && place?.label !== undefined;
  return record.component?.area === 'memory';
}

/** What is to be done, with the words of the records as far as the log does not contradict them. */
export function adviceOf(
  incident: Incident,
  telling: Witness,
  severity: DecodedSeverity,
  { part, corrected = 0, hours }: { part?: string; corrected?: number; hours?: number | undefined },
): Advice {
  const { witnesses } = incident;
  const fate = fateOf(witnesses);
  const facts: Facts = {
    severity,
    fate,
    telling,
    witnesses,
    part,
    corrected,
    hours,
    memory: part !== undefined && witnesses.some(isOfMemory) ? part : undefined,
    ofEarlierBoot: isOfEarlierBoot(witnesses),
    inGuest: witnesses.some(isOfGuest),
    isOtherPage: isOtherPage(incident),
  };
  const said: Rule[] = [];
  for (const rule of RULES) {
    if (!rule.when(facts)) continue;
    said.push(rule);
    if (rule.ends === true) break;
  }
  // What Linux did with the page changes what is to be done.
  const speaking = [telling, ...witnesses.filter(w => w.reporter === 'kernel' && w !== telling && isWorth(w))];
  const steps: string[] = [];
  const known = new Set<string>();
  for (const { record } of speaking) {
    const left = sentences(record.nextStep).filter(
      sentence =>
        !known.has(sentence) &&
        !(record !== telling.record && OF_BEFORE.test(sentence)) &&
        !said.some(rule => rule.takesBack?.test(sentence)),
    );
    for (const sentence of left) known.add(sentence);
    if (left.length > 0) steps.push(left.join(' '));
  }
  return {
    actions: said.map(rule => rule.say(facts)).filter(text => text !== ''),
    because: said.map(rule => rule.id),
    steps,
  };
}

/** A remark of the kernel has no step of its own. */
const isWorth = ({ severity, record }: Witness): boolean =>
  severity !== 'info' && RECORD_ROWS.get(record.class)?.next !== undefined;
