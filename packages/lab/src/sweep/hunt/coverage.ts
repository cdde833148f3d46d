/** @module What is new in a run, and what of it is a defect. Pure. */
import type { Outcome } from '@syndrome/trace/expect/outcome.ts';
import type { Observation } from '../observation.ts';

/** Lines that say where the kernel was: addresses, registers and call traces of a moment. */
const OF_A_MOMENT: readonly RegExp[] = [
  /^(?:[RE]?[A-D]X|[RE][SD]I|[RE][BS]P|R\d\d|CR\d|DR\d|FS|GS|CS|Code|EFLAGS)\b/,
  /^\s*(?:\? )?[\w.]+\+<n>\/<n>/,
  /^RIP\b/,
  /^<\/?(?:TASK|IRQ|NMI|#\w+)>/,
  /^Modules linked in/,
  /^CPU: <n> /,
  /^Hardware name/,
];

/** What no machine check may lead to, whatever it says. */
const DEFECTS: readonly RegExp[] = [
  /^WARNING: /,
  /^BUG: /,
  /^kernel BUG at /,
  /^Oops\b/,
  /general protection fault/,
  /rcu: INFO: .*stall/,
  /blocked for more than <n> seconds/,
  /^possible recursive locking|lock held when returning/,
  /soft lockup|hard LOCKUP/,
];
const DEFECT_OUTCOMES: readonly Outcome[] = ['hung', 'vmm-died'];

/** A symbol in a line is where the kernel was. */
const steady = (template: string): string => template.replace(/\{[^{}]*\}/g, '{<place>}').replace(/<<n>>/g, '<n>');

/** What of a run may be new: its outcome, the signal, what became of the page, and each kind of line. */
export function featuresOf({ outcome, signal, page, lines }: Observation): string[] {
  return [
    `outcome ${outcome}`,
    ...(signal === undefined ? [] : [`signal ${signal}`]),
    ...(page === undefined ? [] : [`page ${page}`]),
    ...new Set(lines.filter(line => !OF_A_MOMENT.some(shape => shape.test(line))).map(line => `line ${steady(line)}`)),
  ];
}

/** What a defect is known by: the line that names it, or how it ended. */
export function defectOf({ outcome, lines }: Observation): string | undefined {
  const line = lines.find(one => DEFECTS.some(shape => shape.test(one)));
  if (line !== undefined) return steady(line);
  return DEFECT_OUTCOMES.includes(outcome) ? outcome : undefined;
}

/** The expectation that a defect is seen again by, as it stands in a scenario: its line without its numbers, or its end. */
export function expectationOf(defect: string): string {
  if (defect === 'hung') return 'within 90s: guest.silent';
  if (defect === 'vmm-died') return 'within 90s: vmm.exit expected=false';
  const [longest = ''] = defect
    .split(/<[^<>]*>|["'\\{}]/)
    .map(part => part.trim())
    .toSorted((a, b) => b.length - a.length);
  return `within 60s: 'guest.line ~ "${longest.replace(/[.*+?^${}()|[\]\\/]/g, '.')}"'`;
}
