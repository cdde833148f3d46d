/** @module What came of an error, as the lines of kernel, hypervisor and VMM about it say. */
import { fieldsOf } from './witness.ts';
import type { Incident } from './incident.ts';

export interface Fate {
  /** The machine, or the guest that reports. */
  machine?: 'panicked' | 'stopped' | 'reset';
  /** `leaving`: when its users let go; `weak`: corrected errors, and Linux tried to move it. */
  page?: 'taken away' | 'leaving' | 'in use' | 'weak' | 'weak, not moved';
  /** Processes that got SIGBUS or were killed: `mysqld:812`; `a process` where no line names it. */
  processes: string[];
  /** Of these the ones that got SIGKILL. */
  killed: string[];
  /** The task that the kernel ended because it met the error itself; empty where no line names it. */
  oops?: string;
  /** A VMM handed the error on to its guest. */
  guest?: true;
  /** Whether drivers of PCIe devices went on. */
  devices?: 'recovered' | 'not recovered';
  /** Drivers and devices that could not. */
  lost: string[];
  /** Somebody asked for it. */
  test?: true;
}

type Saying = (fate: Fate, fields: ReturnType<typeof fieldsOf>) => void;

/** Results of a recovery action: mm/memory-failure.c, action_name. */
const PAGE: Readonly<Record<string, Fate['page']>> = {
  Recovered: 'taken away',
  Delayed: 'leaving',
  Ignored: 'in use',
  Failed: 'in use',
};
const MAX_PROCESSES = 8;

const processName = ({ comm, pid }: ReturnType<typeof fieldsOf>): string =>
  comm === undefined ? 'a process' : `${String(comm)}:${String(pid ?? '?')}`;
const process: Saying = (fate, fields) => {
  const name = processName(fields);
  if (fate.processes.length < MAX_PROCESSES && !fate.processes.includes(name)) fate.processes.push(name);
};
const unnamed: Saying = (fate, fields) => {
  if (fate.processes.length === 0) process(fate, fields);
};
const machine =
  (machine: NonNullable<Fate['machine']>): Saying =>
  fate => {
    fate.machine ??= machine;
  };

/** By class of record. */
const SAYS: Readonly<Record<string, Saying>> = {
  panic: machine('panicked'),
  'mce-severity': machine('panicked'),
  'xen-fatal-mce': machine('panicked'),
  'xen-panic': machine('panicked'),
  'system-halted': machine('stopped'),
  'qemu-triple-fault': machine('reset'),
  'arm-oops': (fate, { comm, pid }) => {
    fate.oops ??= comm === undefined ? '' : `${String(comm)}:${String(pid ?? '?')}`;
  },
  'memory-failure': (fate, { result }) => {
    const page = PAGE[String(result)];
    // What was in use once is not away because a later line says so of its rest.
    if (page !== undefined && fate.page !== 'in use') fate.page = page;
  },
  'memory-failure-note': (fate, { message }) => {
    if (/^unhandlable page|^(?:non LRU )?page (?:migration|isolation) failed/.test(String(message))) {
      fate.page = fate.page === 'weak' ? 'weak, not moved' : 'in use';
    }
  },
  'mce-not-recovered': (fate, fields) => {
    fate.page = 'in use';
    unnamed(fate, fields);
  },
  'soft-offline': fate => {
    fate.page ??= 'weak';
  },
  'soft-offline-failed': fate => {
    if (fate.page !== 'in use') fate.page = 'weak, not moved';
  },
  'page-retired': fate => {
    fate.page ??= 'taken away';
  },
  'sigbus-sent': (fate, fields) => {
    fate.processes = fate.processes.filter(name => name !== 'a process');
    process(fate, fields);
  },
  'poison-killed': (fate, fields) => {
    process(fate, fields);
    const name = processName(fields);
    if (fate.killed.length < MAX_PROCESSES && !fate.killed.includes(name)) fate.killed.push(name);
  },
  'ghes-sigbus': process,
  'process-sigbus': process,
  'qemu-sigbus-injected': fate => {
    fate.guest = true;
  },
  'xen-vmce-injected': fate => {
    fate.guest = true;
  },
  'pcie-recovered': fate => {
    fate.devices ??= 'recovered';
  },
  'pcie-not-recovered': (fate, { device, message }) => {
    fate.devices = 'not recovered';
    // The line that it failed names the port.
    const name = String(device);
    const isPort = /recovery/.test(String(message));
    if (!isPort && fate.lost.length < MAX_PROCESSES && !fate.lost.includes(name)) fate.lost.push(name);
  },
  'hwpoison-injected': fate => {
    fate.test = true;
  },
};

/** What the witnesses of an incident, and the panic that is for it too, say became of it. */
export function fateOf({ witnesses, panic }: Pick<Incident, 'witnesses' | 'panic'>): Fate {
  const fate: Fate = { processes: [], killed: [], lost: [] };
  for (const { reporter, record } of panic === undefined ? witnesses : [...witnesses, panic]) {
    if (reporter !== 'kernel') continue;
    const name = record.class;
    if (Object.hasOwn(SAYS, name)) SAYS[name]?.(fate, fieldsOf(record));
  }
  return fate;
}

const PAGE_WORDS: Readonly<Record<NonNullable<Fate['page']>, string>> = {
  'taken away': 'page taken away',
  leaving: 'page in use until its users let go',
  'in use': 'page still in use',
  weak: 'weak page to be moved',
  'weak, not moved': 'weak page not moved',
};

/**
 * `machine panicked`, `page still in use`, `SIGBUS to mysqld:812`: each thing for itself, the worst first.
 * @param isOtherPage the page is not the one of the error
 */
export function fateWords(fate: Fate, isOtherPage = false): string[] {
  const { machine, page, processes, killed, oops, guest, test, devices, lost } = fate;
  const out: string[] = [];
  if (test === true) out.push('a test');
  if (machine !== undefined) out.push(`machine ${machine}`);
  if (oops !== undefined) out.push(`kernel oops${oops === '' ? '' : `, ${oops} ended`}`);
  if (page !== undefined) out.push(isOtherPage ? 'another page handled' : PAGE_WORDS[page]);
  const signalled = processes.filter(name => !killed.includes(name));
  if (killed.length > 0) out.push(`${killed.join(', ')} killed`);
  if (signalled.length > 0) out.push(`SIGBUS to ${signalled.join(', ')}`);
  if (devices !== undefined) out.push(`device ${devices}${lost.length === 0 ? '' : ` (${lost.join(', ')})`}`);
  if (guest === true) out.push('handed on to a guest');
  return out;
}
