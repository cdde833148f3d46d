/**
 * @module What to do about an error in the light of all that the log says of it: the next step of a record is written without what
 * stands around it. Each rule says what decides it, what is to be done, and which sentences of a record it takes back.
 */
import { hex64 } from '../common/hex.ts';
import { RECORD_ROWS, recordName } from '../events/records.ts';
import type { DecodedSeverity } from '../decode/record.ts';
import { durationText, thousands } from '../decode/count.ts';
import { fateOf } from './fate.ts';
import type { Fate } from './fate.ts';
import type { Incident } from './incident.ts';
import { isLeftOver, isLost, isOfLinux } from './left-over.ts';
import type { After } from './left-over.ts';
import { cameAsException, fieldsOf, isCorrected, isNoFailure, isOfGuest } from './witness.ts';
import type { Pattern } from './part.ts';
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
  /** Uncorrected errors of the part in the whole input, and in how many hours. */
  lost: number;
  lostHours: number | undefined;
  pattern: { is: Pattern; incidents: number } | undefined;
  /** Of the memory that failed, as its records name it; undefined where they name none, or where it is no memory. */
  memory: string | undefined;
  part: string | undefined;
  ofEarlierBoot: boolean;
  inGuest: boolean;
  isOtherPage: boolean;
  /** Where a driver says that it was, with `isOtherPage`. */
  driverAddress: bigint | undefined;
  /** What the input shows of the machine after it. */
  after: After | undefined;
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

const RESET = /must be reset/;
/** Seconds that a console may take for what is printed while a machine stops. */
const STILL = 120;
const GOES_ON =
  /may go on|Take the page out of use|out of use before|kill what used it|needs no reset|exception came with it|Replace the (?:DIMM|module) it names/i;
const PAGE_STEPS =
  /Take the page out of use|take it out of use|For Ignored and Failed|Otherwise look for the|Look for the recovery|Look for (?:the )?`Memory f|Without an address in the record|^Plan a restart|It hands? on|Nothing to do for the page, unless/i;
/** Of a line that speaks of the records before it: beside one of these it says nothing. */
const OF_BEFORE = /^Look at the (?:records?|banks) (?:before|beside) it/;
const ELSEWHERE = /The cache only noticed|The core only used the data/;
const DEVICE_STEPS =
  /driver of the device recovered|the link has to be reset|Reset the device or restart the machine|Look at the device and its slot when/;
const OF_CHANNEL = /The address is the channel's own/;
const SIGNAL_STEPS =
  /If the process is a VMM|^Restart the process; look at|whether the process died|Otherwise look for the/i;

const isToReset = ({ telling: { record } }: Facts): boolean =>
  record.source.from !== 'bmc' && RESET.test(record.nextStep);

/** How long a machine is seen after an error, where that is longer than it takes to stop. */
const wentOn = ({ after }: Facts, is: 'one start' | 'a log'): string | undefined =>
  after?.is === is && after.seconds > STILL ? durationText(after.seconds) : undefined;

/**
 * How it is known that a machine was started again after what is fatal: by the clock of its kernel, or because Linux stops for such an
 * exception (mce_panic(), arch/x86/kernel/cpu/mce/core.c) and its log goes on.
 */
function startedAgain(facts: Facts): string | undefined {
  const { after, telling } = facts;
  if (after?.is === 'started again') return 'the machine started again after it';
  if (after?.is !== 'a log' || !isOfLinux(telling) || cameAsException(telling.record) !== true) return undefined;
  const seconds = wentOn(facts, 'a log');
  return seconds === undefined ? undefined : `Linux stops for it, and the log goes on ${seconds} after it`;
}

/** A cache or a core is not to be had by itself. */
const isProcessor = ({ record: { component } }: Witness): boolean =>
  component?.area === 'cache' || component?.area === 'core';

/** mcelog writes `any` where the registers do not say which. */
const ANY = /\bany\b/;

/** What many corrected errors of a part ask for. */
const planOf = (part = ''): string =>
  ANY.test(part) ? `find which DIMM of ${part} it is, and plan to replace it` : `plan to replace ${part}`;

/** A label or FRU is a module; a channel has one or several. */
function replaceOf({ memory = '', witnesses }: Facts): string {
  const isNamed =
    witnesses.some(({ place }) => place?.label !== undefined || place?.fru !== undefined) && !ANY.test(memory);
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
    say: f => {
      const reset = f.witnesses.find(w => w.reset !== undefined)?.reset;
      const how = reset === undefined ? '' : `, which ended so: ${reset}`;
      const what = f.severity === 'fatal' ? 'it most likely ended that' : 'look for what ended that';
      return `no reset for it: it is of the boot before this one${reset === undefined ? `; ${what}` : how}`;
    },
    takesBack:
      /must be reset|may go on|Do not trust what ran|Take the page out of use|needs no reset|found it in its bank when/,
    ends: true,
  },
  {
    id: 'of-controller',
    when: f => f.telling.record.source.from === 'bmc' && RESET.test(f.telling.record.nextStep),
    say: () => 'no reset for it now: a controller wrote it down, and the machine stopped then',
    takesBack: RESET,
  },
  {
    id: 'started-again',
    when: f => isToReset(f) && startedAgain(f) !== undefined,
    say: f => `no reset for it now: ${startedAgain(f) ?? ''}`,
    takesBack: RESET,
  },
  {
    id: 'went-on',
    when: f => isToReset(f) && f.fate.machine === undefined && wentOn(f, 'one start') !== undefined,
    say: f => `do not wait for it to stop: the same kernel went on for ${wentOn(f, 'one start') ?? ''}`,
  },
  {
    id: 'log-goes-on',
    when: f => isToReset(f) && startedAgain(f) === undefined && wentOn(f, 'a log') !== undefined,
    say: f => `reset the machine if nobody did: its log goes on ${wentOn(f, 'a log') ?? ''} after it`,
    takesBack: RESET,
  },
  {
    id: 'machine-down',
    when: f => f.fate.machine !== undefined && f.fate.machine !== 'reset' && !f.inGuest,
    say: f =>
      f.memory === undefined
        ? 'keep the machine out of service until the cause is known'
        : `${replaceOf(f)} before the machine serves again`,
    takesBack: new RegExp(
      `${GOES_ON.source}|Look at the records before it|Look at the banks|^For Ignored and Failed|^Otherwise look for the`,
      'i',
    ),
  },
  {
    id: 'oops',
    when: f => f.fate.oops !== undefined && f.fate.machine === undefined,
    say: () => 'restart the machine soon: the kernel met the error itself, and what the task held stays as it was',
    takesBack: /^Restart the machine soon|Linux oopses/,
  },
  {
    id: 'other-page',
    when: f => f.isOtherPage,
    say: ({ driverAddress }) =>
      `the page that Linux handled is not the bad one: it took the address of the memory channel for one of the system${driverAddress === undefined ? '' : `; take that of ${hex64(driverAddress)} out of use, which the driver names`}`,
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
    when: f => f.fate.machine === undefined && f.fate.page === 'leaving' && !f.isOtherPage,
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
    id: 'address-known',
    when: f => OF_CHANNEL.test(f.telling.record.nextStep) && driverAddress(f) !== undefined,
    say: () => '',
    takesBack: OF_CHANNEL,
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
    id: 'device-recovered',
    when: f => f.fate.devices === 'recovered',
    say: () => 'nothing more to do now: its driver went on; look at the device and its slot when it comes again',
    takesBack: DEVICE_STEPS,
  },
  {
    id: 'device-not-recovered',
    when: f => f.fate.devices === 'not recovered',
    say: ({ fate: { lost } }) =>
      `reset ${lost.length === 0 ? 'the device' : lost.join(' and ')} or restart the machine: ${lost.length > 1 ? 'their drivers' : 'its driver'} could not go on; look at the device and its slot`,
    takesBack: DEVICE_STEPS,
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
    when: f =>
      f.memory !== undefined &&
      (isLost(f.severity) || f.severity === 'deferred') &&
      f.fate.machine === undefined &&
      !f.inGuest,
    say: replaceOf,
    takesBack: /^Replace the (?:DIMM|module) it names/,
  },
  {
    id: 'repeats',
    when: f => f.memory === undefined && f.part !== undefined && f.lost > 1 && isLost(f.severity) && !f.inGuest,
    say: f => `look at ${f.part ?? ''} first: it had ${f.lost} such errors${spanText(f.lostHours)}`,
  },
  {
    id: 'accelerator',
    // It repairs itself by resets: its own words say when it is to be replaced.
    when: f => f.telling.record.class.startsWith('gpu-'),
    say: () => '',
    ends: true,
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
    say: f => `${planOf(f.part)}: ${thousands(f.corrected)} corrected errors${spanText(f.hours)}`,
    takesBack: /^Nothing was lost; act when|^Count them by/,
  },
  {
    // V. Sridharan, D. Liberty, A Study of DRAM Failures in the Field, SC 2012: such faults are permanent, and most are.
    id: 'pattern',
    when: f => isCorrected(f.severity) && f.part !== undefined && !isMany(f) && isFault(f.pattern),
    say: ({ part = '', pattern }) =>
      `${planOf(part)}: ${pattern?.incidents ?? 0} errors in ${pattern?.is ?? ''} are a fault that stays`,
    takesBack: /^Nothing was lost; act when|^Count them by/,
  },
];

/** Errors in one row, column or bank, that are more than two by chance. */
const isFault = (pattern: Facts['pattern']): boolean =>
  pattern !== undefined && pattern.incidents > 2 && /^one (?:row|column|bank)$/.test(pattern.is);

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

/** Whether an incident is known to be of an earlier boot: all that witnessed the error itself say so, and nothing stopped for it now. */
export function isOfEarlierBoot(incident: Incident): boolean {
  const { witnesses } = incident;
  const telling = witnesses.filter(w => w.reporter !== 'kernel' && w.reporter !== 'driver');
  return telling.length > 0 && telling.every(isLeftOver) && fateOf(incident).machine === undefined;
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

/** The address of the system that a driver made of that of a memory channel; undefined where it could not. */
export function driverAddress({ witnesses }: Readonly<{ witnesses: readonly Witness[] }>): bigint | undefined {
  return witnesses.find(w => w.reporter === 'driver' && w.pfn !== undefined)?.address;
}

/** Records that say which memory it was, not only that a unit met bad data. */
function isOfMemory({ reporter, record, place }: Witness): boolean {
  // A driver of another part with ECC says which instance of it.
  if (reporter === 'driver') return fieldsOf(record)['instance'] === undefined;
  if (reporter === 'controller') return record.class.startsWith('bmc-memory') && place?.label !== undefined;
  return record.component?.area === 'memory';
}

/** What the whole input says beside an incident; as of {@link Facts}. */
interface Beside {
  part?: string;
  corrected?: number;
  hours?: number | undefined;
  lost?: number;
  lostHours?: number | undefined;
  pattern?: Facts['pattern'];
  after?: After | undefined;
}

/** What is to be done, with the words of the records as far as the log does not contradict them. */
export function adviceOf(
  incident: Incident,
  telling: Witness,
  severity: DecodedSeverity,
  { part, corrected = 0, hours, lost = 0, lostHours, pattern, after }: Beside,
): Advice {
  const { witnesses } = incident;
  const fate = fateOf(incident);
  const facts: Facts = {
    severity,
    fate,
    telling,
    witnesses,
    part,
    corrected,
    hours,
    lost,
    lostHours,
    pattern,
    memory: part !== undefined && witnesses.some(isOfMemory) ? part : undefined,
    ofEarlierBoot: isOfEarlierBoot(incident),
    inGuest: witnesses.some(isOfGuest),
    isOtherPage: isOtherPage(incident),
    driverAddress: isOtherPage(incident) ? driverAddress(incident) : undefined,
    after,
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
