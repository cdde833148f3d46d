import { hex64 } from '@syndrome/decode/common/hex.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { NAMED_MCA } from '@syndrome/decode/mca/named.ts';
import { explain } from '@syndrome/decode/mca/explain.ts';
import { MCA_REGISTERS } from '@syndrome/decode/mca/record.ts';
import type { X86McaRecord } from '@syndrome/decode/mca/record.ts';
import type { FieldValue, TraceEvent } from './event.ts';

/** 64-bit values without leading zeros, as the kernel prints most of them; registers are shown in full elsewhere. */
function short(value: FieldValue | undefined): string {
  if (typeof value === 'bigint') return `0x${value.toString(16)}`;
  return safeText(String(value ?? ''), 200);
}

type Fields = Record<string, FieldValue>;

function seaWords({ seaEnabled, seaCapability }: Fields): string {
  if (seaEnabled === true) return 'it takes KVM_EXIT_ARM_SEA';
  if (seaCapability === 0) return 'without KVM_EXIT_ARM_SEA, the host kernel has no KVM_CAP_ARM_SEA_TO_USER';
  return 'without KVM_EXIT_ARM_SEA';
}

/** One line for each event of the catalogue that a reader wants to see; `null` for those that only machinery needs. */
const SUMMARIES: Record<string, ((f: Fields) => string | undefined) | null> = {
  'lab.step': f => `step ${short(f.index)}: ${short(f.text)}`,
  'lab.injected': f => {
    if (f.kind === 'hmp') return `INJECT ${short(f.command)}`;
    return `INJECT ${f.command === undefined ? pairs(f) : `${short(f.command)}: ${explainInjected(f)}`}`;
  },
  'lab.outlook': f =>
    `outlook: ${short(f.outcome)}, by ${short(f.rule)}${f.dependsOn === undefined ? '' : ` (depends on: ${short(f.dependsOn)})`}`,
  'lab.note': f => short(f.text),
  'lab.value': null,
  'lab.restored': () => 'machine restored from its kept state',
  'lab.end': null,
  'lab.error': f => `the lab could not go on: ${short(f.message)}`,
  'lab.skip': f => `skipped: ${short(f.message)}`,
  'vmm.start': () => 'QEMU starts',
  'vmm.exit': f =>
    f.expected === true && f.signal === 9
      ? undefined
      : `the VMM ends (${f.signal === undefined ? `code ${short(f.code)}` : `signal ${short(f.signal)}`})`,
  // An emulated CPU lacks some features of its model; dozens of lines at each start.
  'vmm.message': f =>
    String(f.message).startsWith("TCG doesn't support requested feature") ? undefined : `VMM: ${short(f.message)}`,
  'vmm.memory-failure': f =>
    `MEMORY_FAILURE ${short(f.recipient)} ${short(f.action)}` +
    (f.actionRequired === true ? ', action required' : '') +
    (f.recursive === true ? ', recursive' : ''),
  'vmm.triple-fault': f =>
    `CPU ${short(f.cpu)}: ${f.reason === 'mcip-set' ? 'MCIP still set' : 'CR4.MCE clear'}, QEMU raises "triple fault"`,
  'vmm.stop': () => 'virtual CPUs stopped',
  'vmm.resume': () => 'virtual CPUs run',
  'vmm.reset': f => `RESET ${short(f.reason)}`,
  'vmm.shutdown': f => `SHUTDOWN ${short(f.reason)}`,
  'vmm.guest-panicked': f => `GUEST_PANICKED ${short(f.action)}`,
  'machine.exit': () => undefined,
  'host.boot': f => `host Linux ${short(f.version)} boots`,
  'host.agent-ready': f => `agent ready on host Linux ${short(f.kernel)}`,
  'host.memory-failure': f => `memory_failure pfn ${short(f.pfn)}: ${short(f.page)}: ${short(f.result)}`,
  'host.sigbus-sent': f => `memory_failure pfn ${short(f.pfn)}: SIGBUS to ${short(f.comm)}:${short(f.pid)}`,
  'host.hwpoison-injected': f => `hwpoison_inject: pfn ${short(f.pfn)}`,
  'vmm.sigbus-injected': f =>
    `QEMU got SIGBUS ${short(f.code)} and injects a machine check for guest address ${short(f.gpa)}`,
  'vmm.started': f => `the VMM runs its guest: ${seaWords(f)}`,
  'guest.boot': f => `Linux ${short(f.version)} boots`,
  'guest.agent-ready': f => `agent ready on Linux ${short(f.kernel)}`,
  'guest.alive': () => 'the guest answers',
  'guest.silent': f => `the guest does not answer: ${short(f.reason)}`,
  'guest.mce': f =>
    `${f.exception === true ? 'Machine Check Exception' : 'Machine check'} on CPU ${short(f.cpu)} bank ${short(f.bank)} STATUS ${short(f.status)} MCGSTATUS ${short(f.mcgStatus)}`,
  'guest.mce-severity': f => `severity: ${short(f.message)}`,
  'guest.mce-logged': () => 'Machine check events logged',
  'guest.mce-user-error': f => `uncorrected error in user access at ${short(f.addr)}`,
  'guest.memory-failure': f => `memory_failure pfn ${short(f.pfn)}: ${short(f.page)}: ${short(f.result)}`,
  'guest.sigbus-sent': f => `memory_failure pfn ${short(f.pfn)}: SIGBUS to ${short(f.comm)}:${short(f.pid)}`,
  'guest.panic': f => `Kernel panic: ${short(f.message)}`,
  'guest.interrupts': f =>
    `${short(f.description ?? f.name).replace(/ +/g, ' ')}: ${short(f.count)}${f.delta === undefined ? '' : ` (+${short(f.delta)})`}`,
  'guest.cper': f => `CPER from GHES source ${short(f.source)}`,
  'guest.cper-severity': f => `CPER severity ${short(f.severity)}`,
  'guest.cper-section': f => `CPER section: ${short(f.section)}`,
  'guest.cper-address': f => `CPER physical address ${short(f.addr)}`,
  'process.mapped': f => `${short(f.proc)} maps ${short(f.id)}: virt ${short(f.virt)} phys ${short(f.phys)}`,
  'process.signal': f =>
    `${short(f.proc)} gets ${short(f.signal)} ${short(f.code)} addr ${short(f.addr)}` +
    (f.lsb === undefined ? '' : ` lsb ${short(f.lsb)}`),
  'process.exit': f => `${short(f.proc)} ends: ${short(f.status)} ${short(f.signal ?? f.code)}`,
  'xen.boot': f => `Xen ${short(f.version)} boots`,
  'xen.fatal-mce': f => `Fatal machine check: ${short(f.message)}`,
  'xen.mce': f => `CPU ${short(f.cpu)}: Machine Check Exception, MCG_STATUS ${short(f.mcgStatus)}`,
  'xen.panic': f => `Xen panics: ${short(f.message)}`,
  'xen.reboot': f => `Xen: ${short(f.message)}`,
  'xen.kexec': f => `Xen starts the crash kernel${f.cpu === undefined ? '' : ` on CPU ${short(f.cpu)}`}`,
  'xen.virq': () => 'Xen sends VIRQ_MCA to dom0',
};

function pairs(fields: Fields): string {
  return Object.entries(fields)
    .map(([key, value]) => `${safeText(key, 64)}=${typeof value === 'bigint' ? hex64(value) : short(value)}`)
    .join(' ');
}

/** What a reader is told of an event; undefined for events that only machinery needs. */
export function summarize(event: TraceEvent): string | undefined {
  if (event.name === undefined) return undefined;
  if (event.name === 'guest.mce-record') {
    return `${event.fields?.source === 'mcelog' ? `/dev/mcelog: bank ${short(event.fields.bank)} STATUS ${short(event.fields.status)}` : 'decoded'}: ${explainRecord(event)}`;
  }
  if (event.name === 'xen.mce-bank')
    return `Bank ${short(event.fields?.bank)} STATUS ${short(event.fields?.status)}: ${explainRecord(event)}`;
  const summary = Object.hasOwn(SUMMARIES, event.name) ? SUMMARIES[event.name] : undefined;
  if (summary === null) return undefined;
  if (summary) return summary(event.fields ?? {});
  return `${safeText(event.name, 64)} ${pairs(event.fields ?? {})}`.trim();
}

/** The record that the fields of a `lab.injected` event describe, in words. */
function explainInjected(f: Fields): string {
  const { bank, status, mcgStatus, addr, misc } = f;
  const vendor = NAMED_MCA.find(r => r.name === f.record)?.vendor;
  const record = mcaRecord({ kind: 'x86-mca', vendor, bank, status, mcgStatus, addr, misc });
  return record === undefined ? pairs(f) : explain(record);
}

function explainRecord(event: TraceEvent): string {
  const record = mcaRecord(event.record);
  if (record !== undefined) return explain(record);
  return event.raw === undefined ? `record ${pairs(event.fields ?? {})}` : safeText(event.raw, 400);
}

const WIDE = [...MCA_REGISTERS, 'time'] as const;
const NUMBERS: readonly (keyof X86McaRecord)[] = ['bank', 'cpu', 'socket'];

/**
 * A machine check record out of a trace, where registers are text when it was read from a file; undefined when it is none,
 * or damaged. What is missing was not reported.
 */
function mcaRecord(value: unknown): X86McaRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const given = value as Record<string, unknown>;
  const { kind, vendor } = given;
  if (kind !== 'x86-mca' || !(vendor === undefined || vendor === 'intel' || vendor === 'amd')) return undefined;
  const record: Record<string, unknown> = { kind, ...(vendor === undefined ? {} : { vendor }) };
  for (const name of WIDE) {
    const raw = given[name];
    if (raw === undefined) continue;
    const register = typeof raw === 'string' && /^0x[0-9a-f]{16}$/.test(raw) ? BigInt(raw) : raw;
    if (typeof register !== 'bigint') return undefined;
    record[name] = register;
  }
  for (const name of NUMBERS) {
    const number = given[name];
    if (number === undefined) continue;
    if (!Number.isSafeInteger(number)) return undefined;
    record[name] = number;
  }
  if (record.status === undefined || record.bank === undefined) return undefined;
  return record as unknown as X86McaRecord;
}
