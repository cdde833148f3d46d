/** @module QEMU's stderr and the answers of its human monitor → events. */
import type { EventFields } from '../../events/catalog.ts';
import { event } from '../../events/event.ts';
import type { LogEvent } from '../../events/event.ts';
import { MAX_TEXT } from '../patterns.ts';
import { cleanLine, hexU64 } from '../transport/line.ts';
import { emittedEvent } from './trace-log.ts';

/** With `-msg timestamp=on`, which libvirt always gives. */
const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z /;
const PROGRAM = /^(?:\S{0,256}\/)?qemu-[\w.-]{1,64}: /;
const SEVERITY = /^(warning|info|error): /;
/** Before 4.2 (patches that hosts ran) the words stood in another order; later ones name a large page that is lost, or AMD. */
const GUEST_SIGBUS =
  /Guest MCE Memory Error at (?:QEMU|qemu) addr (0x[0-9a-f]{1,16}) and (?:GUEST|guest)(?: addr)? (?:0x)?([0-9a-f]{1,16})(?: addr)?(?: on lost large page [0-9a-f]{1,16}@[0-9a-f]{1,16})? of type (BUS_MCEERR_A[OR]) injected/;
const OWN_SIGBUS =
  /^(?:QEMU got )?Hardware memory error(?: at addr (0x[0-9a-f]{1,16}))?(?: of type (BUS_MCEERR_A[OR]))?/;

/**
 * What a line of QEMU's error output says; undefined for an empty one. Lines that QEMU did not prefix get the severity
 * `output`.
 */
export function stderrEvent(
  raw: string,
): LogEvent<'vmm.sigbus-injected' | 'vmm.memory-error' | 'vmm.event-emitted' | 'vmm.message'> | undefined {
  let text = cleanLine(raw);
  if (text.trim() === '') return undefined;
  const emitted = emittedEvent(text);
  if (emitted !== undefined) return emitted;
  text = text.replace(STAMP, '');
  const program = PROGRAM.exec(text);
  if (program !== null) text = text.slice(program[0].length);
  const level = SEVERITY.exec(text);
  if (level !== null) text = text.slice(level[0].length);
  // error_report() prints no severity word; only lines with the program's name come from it.
  const severity = level?.[1] ?? (program === null ? 'output' : 'error');

  const sigbus = GUEST_SIGBUS.exec(text);
  if (sigbus !== null) {
    const [hva, gpa] = [hexU64(sigbus[1]) ?? 0n, hexU64(sigbus[2]) ?? 0n];
    return event('vmm.sigbus-injected', { hva, gpa, code: sigbus[3] ?? '' });
  }
  const message = text.slice(0, MAX_TEXT);
  const own = OWN_SIGBUS.exec(text);
  if (own === null) return event('vmm.message', { severity, message });
  const fields: EventFields<'vmm.memory-error'> = { message };
  const hva = hexU64(own[1]);
  if (hva !== undefined) fields.hva = hva;
  if (own[2] !== undefined) fields.code = own[2];
  // The same words mean another thing on arm.
  const target = /qemu-system-([\w-]{1,32}): $/.exec(program?.[0] ?? '')?.[1];
  if (target !== undefined) fields.target = target;
  return event('vmm.memory-error', fields);
}

const MAX_HMP = 65536;
// QEMU prints these without a line end, so several may stand on one line.
const TRIPLE_FAULT =
  /CPU (\d{1,6}): (MCE capability is not enabled|Previous MCE still in progress), raising triple fault/g;
const DISABLED = /CPU (\d{1,6}): Uncorrected error reporting disabled(?: for bank (\d{1,4}))?/g;
const REJECTED =
  /MCE injection not supported|Invalid MCE bank number|Invalid MCE status code|Guest CPU does not support MCA broadcast/g;

type MonitorEvent = LogEvent<'vmm.triple-fault' | 'vmm.mce-rejected' | 'vmm.message'>;

/** The resets that the human monitor tells of, and its text without them. With -b they follow each other without a line end. */
export function takeTripleFaults(text: string): { faults: LogEvent<'vmm.triple-fault'>[]; rest: string } {
  const faults: LogEvent<'vmm.triple-fault'>[] = [];
  const rest = text.slice(0, MAX_HMP).replace(TRIPLE_FAULT, (_text, cpu: string, cause: string) => {
    faults.push(tripleFault(cpu, cause));
    return '';
  });
  return { faults, rest: rest.trim() };
}

const tripleFault = (cpu: string, cause: string): LogEvent<'vmm.triple-fault'> =>
  event('vmm.triple-fault', {
    cpu: Number(cpu),
    reason: cause.startsWith('Previous') ? 'mcip-set' : 'mce-not-enabled',
  });

/** Events in the text that `human-monitor-command` returned; the empty text is no event (and no proof of success). */
export function hmpOutputEvents(text: string): MonitorEvent[] {
  const found: { at: number; event: MonitorEvent }[] = [];
  let rest = text.slice(0, MAX_HMP);
  const take = (re: RegExp, make: (m: RegExpExecArray) => MonitorEvent): void => {
    rest = rest.replace(re, (...args: unknown[]) => {
      const groups = args as unknown as RegExpExecArray;
      const at = args.find((a): a is number => typeof a === 'number') ?? 0;
      const whole = String(groups[0]);
      found.push({ at, event: make(groups) });
      return ' '.repeat(whole.length);
    });
  };
  take(TRIPLE_FAULT, m => tripleFault(m[1] ?? '', m[2] ?? ''));
  take(DISABLED, m => {
    const fields = { cpu: Number(m[1]), reason: 'Uncorrected error reporting disabled' };
    return event('vmm.mce-rejected', m[2] === undefined ? fields : { ...fields, bank: Number(m[2]) });
  });
  take(REJECTED, m => event('vmm.mce-rejected', { reason: m[0] }));
  // What is left was not expected here: kept as a message, so that no complaint of the monitor is lost.
  let offset = 0;
  for (const line of rest.split('\n')) {
    const message = line.trim().slice(0, MAX_TEXT);
    if (message !== '') found.push({ at: offset, event: event('vmm.message', { severity: 'monitor', message }) });
    offset += line.length + 1;
  }
  return found.sort((a, b) => a.at - b.at).map(f => f.event);
}
