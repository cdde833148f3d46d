/**
 * @module The way of xen-mceinj: a tool in dom0 has Xen put a machine check into the registers of a CPU, without hardware.
 * What the tool is asked for is one of a few records. Source: Xen tools/misc/xen-mceinj.c.
 */
import { explain } from '../mca/of-record.ts';
import type { X86McaRecord } from '../mca/record.ts';
import type { XenMceinjInjection } from './injection.ts';
import { indexOf, u64Of } from './way.ts';
import type { Fields, WayOf } from './way.ts';

/** Says that the address of a record is a physical one, of a page. Source: Intel SDM vol. 3B 16.3.2.4. */
const MISC = 0x86n;

/** What `-t` gives. The tool names the first two the other way round: 0x17A is a write back of the last cache, 0xCF a scrub. */
export const XEN_MCEINJ_TYPES: readonly Pick<Required<X86McaRecord>, 'bank' | 'status' | 'mcgStatus'>[] = [
  { bank: 7, status: 0xbd20_0000_8000_017an, mcgStatus: 5n },
  { bank: 8, status: 0xbd00_0000_0040_00cfn, mcgStatus: 5n },
  { bank: 9, status: 0xbc20_0000_8000_0136n, mcgStatus: 0n },
  { bank: 1, status: 0x9400_0000_0000_0151n, mcgStatus: 5n },
  { bank: 7, status: 0xbf20_0000_8000_017an, mcgStatus: 5n },
];

/** The record of a type. @throws RangeError for one that the tool does not have */
function typed(type: number): (typeof XEN_MCEINJ_TYPES)[number] {
  const found = XEN_MCEINJ_TYPES[type];
  if (found === undefined) throw new RangeError(`xen-mceinj has no type ${type}`);
  return found;
}

/** The tool's arguments behind its name. */
export const xenMceinjArguments = ({ domain, addr, cpu, type }: XenMceinjInjection): string[] =>
  ['-d', String(domain), '-p', `0x${addr.toString(16)}`].concat(['-c', String(cpu), '-t', String(type)]);

const commandOf = (injection: XenMceinjInjection): string => `xen-mceinj ${xenMceinjArguments(injection).join(' ')}`;

const recordOf = ({ cpu, addr, type }: XenMceinjInjection): X86McaRecord => ({
  kind: 'x86-mca',
  cpu,
  ...typed(type),
  addr,
  misc: MISC,
});

function read(fields: Fields): XenMceinjInjection | undefined {
  const given = /^xen-mceinj -d (\d{1,5}) .* -t ([0-4])$/.exec(String(fields['command']));
  const cpu = indexOf(fields['cpu']);
  const addr = u64Of(fields['addr']);
  if (fields['kind'] !== 'xen-mceinj' || given === null || cpu === undefined || addr === undefined) return undefined;
  return { way: 'xen-mceinj', domain: Number(given[1]), addr, cpu, type: Number(given[2]) };
}

export const XEN_MCEINJ: WayOf<XenMceinjInjection> = {
  command: commandOf,
  record: recordOf,
  words: injection => `${explain(recordOf(injection))} Xen is told by its tool in dom0; no hardware has it.`,
  fields: injection => {
    const { kind: _, ...registers } = recordOf(injection);
    return { kind: injection.way, ...registers, command: commandOf(injection) };
  },
  read,
};
