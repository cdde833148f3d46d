/** @module The ways that Linux has: poison or soft offline of a page, of the host or by a process of the guest. */
import { pfnOf } from '../registers/address.ts';
import { PAGE_FILES } from '../registers/linux-pages.ts';
import type { HostInjection, ProcessInjection } from './injection.ts';
import { nameOf, u64Of } from './way.ts';
import type { WayOf } from './way.ts';

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** The kernel's file of each way, what is written into it, and what it does. */
const HOST = {
  'corrupt-pfn': {
    file: PAGE_FILES.corrupt,
    value: pfnOf,
    does: 'is taken for broken memory: its users get SIGBUS',
  },
  'soft-offline': {
    file: PAGE_FILES.softOffline,
    value: (addr: bigint) => addr,
    does: 'is taken out of use, its content is kept',
  },
} as const satisfies Record<HostInjection['way'], unknown>;

/** The file of the host's kernel that takes this injection. */
export function hostFile(way: HostInjection['way']): string {
  return HOST[way].file;
}

/** The number that is written there: a page frame number or an address. */
export function hostValue({ way, addr }: HostInjection): bigint {
  return HOST[way].value(addr);
}

export const HOST_PAGE: WayOf<HostInjection> = {
  command: injection => `echo ${hex(hostValue(injection))} > ${hostFile(injection.way)}`,
  // What the kernel of the host tells the VMM; soft offline tells nobody, and the outlook has no rules for it.
  record: ({ way, gpa }) =>
    way === 'corrupt-pfn'
      ? { kind: 'sigbus', code: 'BUS_MCEERR_AO', ...(gpa === undefined ? {} : { gpa }) }
      : undefined,
  words: ({ way, addr }) => `page frame ${hex(pfnOf(addr))} of the host ${HOST[way].does}`,
  fields: ({ way, addr }) => ({ kind: way, addr, pfn: pfnOf(addr) }),
  read: ({ kind, addr: address }) => {
    const addr = u64Of(address);
    return addr !== undefined && (kind === 'corrupt-pfn' || kind === 'soft-offline') ? { way: kind, addr } : undefined;
  },
};

/** Kind in a trace, the call, and what it does. Source: madvise(2), userfaultfd(2). */
const PROCESS = {
  madvise: { kind: 'madvise', by: 'madvise(MADV_HWPOISON)', does: 'is poisoned' },
  'madvise-soft-offline': {
    kind: 'soft-offline',
    by: 'madvise(MADV_SOFT_OFFLINE)',
    does: 'is taken out of use, its content is kept',
  },
  userfaultfd: { kind: 'userfaultfd', by: 'ioctl(UFFDIO_POISON)', does: 'is taken for poisoned in this process alone' },
} as const satisfies Record<ProcessInjection['way'], unknown>;

/** The way by the name that scenarios and traces have for it. */
export function processWay(kind: (typeof PROCESS)[ProcessInjection['way']]['kind']): ProcessInjection['way'] {
  return kind === 'soft-offline' ? 'madvise-soft-offline' : kind;
}

export const PROCESS_PAGE: WayOf<ProcessInjection> = {
  // A call of the process, and no line.
  command: () => undefined,
  record: () => undefined,
  words: ({ way, process, page }) => `page ${page} of ${process} ${PROCESS[way].does}, by its own ${PROCESS[way].by}`,
  fields: ({ way, process, page }) => ({ kind: PROCESS[way].kind, process, page }),
  read: fields => {
    const { kind } = fields;
    const process = nameOf(fields['process']);
    const page = nameOf(fields['page']);
    if (process === undefined || page === undefined) return undefined;
    const known = Object.values(PROCESS).find(way => way.kind === kind);
    return known === undefined ? undefined : { way: processWay(known.kind), process, page };
  },
};
