/** @module What happened, in the customer's words: plain sentences, nothing that a log says by itself, everything bounded and escaped. */
import { safeText } from '@syndrome/decode/common/screen.ts';
import { lostBytes } from './ledger.ts';
import type { Notice } from './notice.ts';
import type { Consequence } from './policy.ts';
import type { Incident, Page, Vm } from './state.ts';

/** The name of a VM as a person may read it. */
export const nameOf = (vm: Pick<Vm, 'id' | 'name'>): string => safeText(vm.name, 80);

const KIB = 1024;
const bytesText = (bytes: number): string => {
  if (bytes >= KIB ** 3) return `${Math.round(bytes / KIB ** 3)} GiB`;
  return bytes >= KIB ** 2 ? `${Math.round(bytes / KIB ** 2)} MiB` : `${Math.round(bytes / KIB)} KiB`;
};

const CONSEQUENCE: Readonly<Record<Consequence, string>> = {
  panicked: 'Its kernel could not take the error and panicked.',
  rebooted: 'It has rebooted since.',
  died: 'Its virtual machine monitor ended because of it.',
};

/** What was lost, for a notice; undefined where nothing is known. */
export function lostOf(page: Page | undefined): Notice['lost'] | undefined {
  if (page === undefined) return undefined;
  const { gpa, process, kernel } = page;
  return {
    bytes: lostBytes([page]),
    ...(gpa === undefined ? {} : { gpa: BigInt(gpa) }),
    ...(process === undefined ? {} : { process: safeText(process, 64) }),
    ...(kernel === undefined ? {} : { kernel: safeText(`${kernel.page}: ${kernel.result}`, 120) }),
  };
}

/** One or two sentences: what the VM has lost, and what became of it. */
export function poisonedText(vm: Vm | undefined, page: Page | undefined, incident: Incident): string {
  const who = vm === undefined ? 'No VM is known to be hit' : `VM ${nameOf(vm)}`;
  const what =
    page === undefined
      ? 'has met a memory error of its host; which of its pages is lost is not known yet'
      : `has lost ${bytesText(lostBytes([page]))} of memory${page.gpa === undefined ? '' : ` at guest address ${short(page.gpa)}`} to a memory error of its host`;
  const first = vm === undefined ? `A memory error of the host is known. ${who}` : `${who} ${what}`;
  const then = incident.consequence === undefined ? '' : ` ${CONSEQUENCE[incident.consequence]}`;
  return `${first}.${then}`;
}

const short = (hex: string): string => `0x${BigInt(hex).toString(16)}`;

/** How severe a page or error is for its owner. */
export function severityOf(page: Page | undefined, incident: Incident): Notice['severity'] {
  if (incident.consequence !== undefined) return 'critical';
  const used = page?.consumed === true || page?.process !== undefined;
  return used || incident.cause === 'unlocated' ? 'warning' : 'info';
}

/** The playbook for what happened, a file of docs/playbooks. */
export function playbookOf(incident: Incident): string {
  if (incident.consequence !== undefined) return 'vm-lost.md';
  return incident.cause === 'predicted' ? 'predicted.md' : 'memory-poisoned.md';
}
