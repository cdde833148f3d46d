/** @module What a drill found, as data and as text. */
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { Style } from '@syndrome/trace/style.ts';

/** A point of the story, by the clock of this machine. */
export interface Moment {
  /** ms UTC. */
  at: number;
  who: 'drill' | 'agent a' | 'agent b' | 'controller' | 'customer' | 'observer';
  what: string;
}

export interface DrillReport {
  schemaVersion: 1;
  drill: string;
  verdict: 'pass' | 'fail';
  /** What was not as it has to be; empty for a pass. */
  faults: string[];
  incidents: { id: string; cause: string; state: string; page?: string; witnesses: string[] }[];
  distinctPages: number;
  /** All sources that saw the errors. `drill` is the injector itself: the monitor's `mce` has no address of the host. */
  witnesses: string[];
  note: string;
  proof?: { kind: string; host: string; epoch: number; evidence: Record<string, string> };
  /** Of the copy that was stopped, and of the one that was started. */
  epochs: number[];
  /** The most QEMU processes of the VM at one time, counted from /proc by a process of its own. */
  copiesMax: number;
  /** From QEMU's own time of an event to the signed notice at the receiver, the slowest of the pages, ms. */
  noticeMs?: number;
  /** From the third error being durable to the new QEMU running, the guest's own boot apart, ms. */
  restartMs?: number;
  /** From there until the guest answered on the other host, ms. */
  guestBootMs?: number;
  /** Whether all decisions came out again from the ledger. */
  replay: 'same' | 'differs';
  seconds: number;
  timeline: Moment[];
}

/** The lines of a report for a person. */
export function drillLines(report: DrillReport, style: Style): string[] {
  const start = report.timeline[0]?.at ?? 0;
  const seconds = (at: number): string => `${((at - start) / 1000).toFixed(3).padStart(8)} s`;
  const ms = (value: number | undefined): string => (value === undefined ? 'not seen' : `${Math.round(value)} ms`);
  return [
    ...report.timeline.map(
      ({ at, who, what }) => `${style('dim', seconds(at))}  ${who.padEnd(10)}  ${safeText(what, 200)}`,
    ),
    '',
    `${style(report.verdict === 'pass' ? 'green' : 'red', report.verdict.toUpperCase())}  drill ${report.drill}  ${report.seconds.toFixed(1)} s`,
    ...report.faults.map(fault => `  ${style('red', safeText(fault, 300))}`),
    `  incidents   ${report.incidents.length}, distinct pages ${report.distinctPages}; witnesses: ${report.witnesses.join(', ')}`,
    `  proof       ${report.proof === undefined ? 'none' : `${report.proof.kind} of epoch ${report.proof.epoch} on host ${report.proof.host}`}`,
    `  copies      at most ${report.copiesMax} at a time, counted from /proc; epochs ${report.epochs.join(' → ')}`,
    `  notice      ${ms(report.noticeMs)} from QEMU's event to the signed notice (slowest page)`,
    `  restart     ${ms(report.restartMs)} from the third error being durable to the new QEMU; its guest answered ${ms(report.guestBootMs)} later`,
    `  replay      ${report.replay === 'same' ? 'all decisions came out again from the ledger' : 'DIFFERS'}`,
    `  ${style('dim', report.note)}`,
  ];
}
