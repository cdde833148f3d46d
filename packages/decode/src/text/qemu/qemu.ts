/** @module QEMU's stderr and the answers of its human monitor → events. */
import type { LineParser, LogEvent } from '../event.ts';
import { cleanLine, hexU64 } from '../transport/line.ts';

const PROGRAM = /^(?:\S{0,256}\/)?qemu-[\w.-]{1,64}: /;
const SEVERITY = /^(warning|info|error): /;
const GUEST_SIGBUS =
  /Guest MCE Memory Error at QEMU addr (0x[0-9a-f]{1,16}) and GUEST addr (0x[0-9a-f]{1,16}) of type (BUS_MCEERR_A[OR]) injected/;
const OWN_SIGBUS =
  /^(?:QEMU got )?Hardware memory error(?: at addr (0x[0-9a-f]{1,16}))?(?: of type (BUS_MCEERR_A[OR]))?/;

/** Parses QEMU's error output. Lines that QEMU did not prefix get the severity `output`. */
export function qemuStderrParser(): LineParser {
  return {
    push(raw) {
      let text = cleanLine(raw);
      if (text.trim() === '') return [];
      const program = PROGRAM.exec(text);
      if (program !== null) text = text.slice(program[0].length);
      const level = SEVERITY.exec(text);
      if (level !== null) text = text.slice(level[0].length);
      // error_report() prints no severity word; only lines with the program's name come from it.
      const severity = level?.[1] ?? (program === null ? 'output' : 'error');

      const sigbus = GUEST_SIGBUS.exec(text);
      if (sigbus !== null) {
        return [
          {
            name: 'vmm.sigbus-injected',
            fields: { hva: hexU64(sigbus[1]) ?? 0n, gpa: hexU64(sigbus[2]) ?? 0n, code: sigbus[3] ?? '' },
          },
        ];
      }
      const own = OWN_SIGBUS.exec(text);
      if (own !== null) {
        const fields: LogEvent['fields'] = { message: text.slice(0, 512) };
        const hva = hexU64(own[1]);
        if (hva !== undefined) fields['hva'] = hva;
        if (own[2] !== undefined) fields['code'] = own[2];
        // The same words mean another thing on arm.
        const target = /qemu-system-([\w-]{1,32}): $/.exec(program?.[0] ?? '')?.[1];
        if (target !== undefined) fields['target'] = target;
        return [{ name: 'vmm.memory-error', fields }];
      }
      return [{ name: 'vmm.message', fields: { severity, message: text.slice(0, 512) } }];
    },
    end: () => [],
  };
}

const MAX_HMP = 65536;
// QEMU prints these without a line end, so several may stand on one line.
const TRIPLE_FAULT =
  /CPU (\d{1,6}): (MCE capability is not enabled|Previous MCE still in progress), raising triple fault/g;
const DISABLED = /CPU (\d{1,6}): Uncorrected error reporting disabled(?: for bank (\d{1,4}))?/g;
const REJECTED =
  /MCE injection not supported|Invalid MCE bank number|Invalid MCE status code|Guest CPU does not support MCA broadcast/g;

/** Events in the text that `human-monitor-command` returned; the empty text is no event (and no proof of success). */
export function hmpOutputEvents(text: string): LogEvent[] {
  const found: { at: number; event: LogEvent }[] = [];
  let rest = text.slice(0, MAX_HMP);
  const take = (re: RegExp, make: (m: RegExpExecArray) => LogEvent): void => {
    rest = rest.replace(re, (...args: unknown[]) => {
      const groups = args as unknown as RegExpExecArray;
      const at = args.find((a): a is number => typeof a === 'number') ?? 0;
      const whole = String(groups[0]);
      found.push({ at, event: make(groups) });
      return ' '.repeat(whole.length);
    });
  };
  take(TRIPLE_FAULT, m => ({
    name: 'vmm.triple-fault',
    fields: { cpu: Number(m[1]), reason: m[2]?.startsWith('Previous') ? 'mcip-set' : 'mce-not-enabled' },
  }));
  take(DISABLED, m => {
    const fields: LogEvent['fields'] = { cpu: Number(m[1]), reason: 'Uncorrected error reporting disabled' };
    if (m[2] !== undefined) fields['bank'] = Number(m[2]);
    return { name: 'vmm.mce-rejected', fields };
  });
  take(REJECTED, m => ({ name: 'vmm.mce-rejected', fields: { reason: m[0] } }));
  // What is left was not expected here: kept as a message, so that no complaint of the monitor is lost.
  let offset = 0;
  for (const line of rest.split('\n')) {
    const message = line.trim();
    if (message !== '') {
      found.push({
        at: offset,
        event: { name: 'vmm.message', fields: { severity: 'monitor', message: message.slice(0, 512) } },
      });
    }
    offset += line.length + 1;
  }
  return found.sort((a, b) => a.at - b.at).map(f => f.event);
}
