/** @module A firmware record in plain sentences. */
import type { Register } from '../registers/register.ts';
import { hex64 } from '../common/hex.ts';
import { armErrorInfoTable, armErrorTypeDoubt, armErrorTypeNames } from './arm.ts';
import { classifyCper } from './classify.ts';
import { ARM_ERROR_FLAGS, ARM_RUNNING_STATE, CPER_RECORD_FLAGS, CPER_SECTION_FLAGS, flagWords } from './flags.ts';
import { FIRMWARE_RECORD_TYPES } from './firmware.ts';
import { CREATOR_NAMES, GUID_NULL, NOTIFICATION_NAMES } from './guid.ts';
import { memoryErrorTypeName, rowOf } from './memory.ts';
import { pagesOfBody } from './page.ts';
import { PCIE_PORT_TYPES } from './pcie.ts';
import { pcieDeviceOf } from '../registers/pci-name.ts';
import { PROCESSOR_ERROR_TYPES } from './processor.ts';
import type {
  CperArmProcessor,
  CperBody,
  CperFirmwareReference,
  CperMemoryError,
  CperMemoryError2,
  CperPcieError,
  CperProcessorGeneric,
  CperRecord,
  CperSection,
  CperSeverity,
  CperX86Processor,
} from './record.ts';
import { sectionName } from './sections.ts';
import { decodeTimestamp, timeOfHeader } from './timestamp.ts';
import { mcaBanksOf } from './x86-mca.ts';
import { X86_CHECKS } from './x86.ts';
import { aerWords } from './pcie-words.ts';
import { cpuidWords } from './cpuid.ts';
import { tableOf } from './tables.ts';

const LEAD: Readonly<Record<CperSeverity, string>> = {
  recoverable: 'Firmware reports an uncorrected error that software can recover from',
  fatal: 'Firmware reports a fatal error',
  corrected: 'Firmware reports a corrected error',
  none: 'Firmware reports something for information only',
};

const hex = (n: number | bigint): string => `0x${n.toString(16)}`;
const list = (names: readonly string[]): string => names.join(', ');

const PLACES = [
  'node',
  'card',
  'module',
  'rank',
  'bank',
  'bankGroup',
  'bankAddress',
  'device',
  'row',
  'column',
  'bitPosition',
  'chipId',
] as const;
const PLACE_WORDS: Readonly<Partial<Record<(typeof PLACES)[number], string>>> = {
  bankGroup: 'bank group',
  bankAddress: 'bank address',
  bitPosition: 'bit',
  chipId: 'chip',
};

function memory(body: CperMemoryError | CperMemoryError2): string[] {
  const type = body.errorType === undefined ? 'of a type that is not given' : memoryErrorTypeName(body.errorType);
  const [page] = pagesOfBody(body);
  const size = page !== undefined && page.pages > 1n ? `, ${page.pages} pages` : '';
  const where =
    page === undefined || body.physicalAddress === undefined
      ? 'without a physical address, so that no page can be taken out of use'
      : `at physical address ${hex64(body.physicalAddress)} (page frame ${hex(page.pfn)}${size})`;
  const place = PLACES.map(n => [n, n === 'row' ? rowOf(body) : body[n]] as const)
    .filter(([, value]) => value !== undefined)
    .map(([n, value]) => `${PLACE_WORDS[n] ?? n} ${value}`);
  const dimm = body.kind === 'memory' ? body.dimmLocation : undefined;
  if (dimm !== undefined) place.push(`DIMM ${dimm}`);
  return [`Memory error, ${type}, ${where}.`, ...(place.length === 0 ? [] : [`It was in ${list(place)}.`])];
}

function generic(body: CperProcessorGeneric): string[] {
  const names = [1, 2, 4, 8].filter(b => ((body.errorType ?? 0) & b) !== 0).map(b => PROCESSOR_ERROR_TYPES[b] ?? '');
  const what = names.length === 0 ? 'error of unknown type' : list(names);
  const cpu = body.processorId === undefined ? '' : ` of processor ${hex(body.processorId)}`;
  const at = body.targetAddress === undefined ? '' : `, target address ${hex64(body.targetAddress)}`;
  return [`Processor error: ${what}${cpu}${at}.`];
}

function x86(body: CperX86Processor): string[] {
  const kinds = body.errors.map(e => X86_CHECKS[e.type ?? '']?.name ?? 'unknown check');
  const cpu = body.apicId === undefined ? '' : ` of the processor with APIC id ${hex(body.apicId)}`;
  const banks = mcaBanksOf(body).map(b => {
    const value = b.status === 0n ? `MCA_DESTAT ${hex64(b.destat ?? 0n)}` : `MCi_STATUS ${hex64(b.status)}`;
    return `bank ${b.bank}: ${value}`;
  });
  const what = kinds.length === 0 ? 'no error structure' : list(kinds);
  return [
    `Processor error${cpu}: ${what}.`,
    ...cpuidWords(body.cpuid),
    ...(banks.length === 0 ? [] : [`It carries machine check registers, ${list(banks)}.`]),
  ];
}

/** Whether the information says that the error was corrected; only while its own validation bit is set. */
function isCorrected(table: Register, errorInfo: bigint): boolean {
  const { CORRECTED, CORRECTED_V } = table.masks;
  return (
    CORRECTED !== undefined &&
    CORRECTED_V !== undefined &&
    (errorInfo & CORRECTED) !== 0n &&
    (errorInfo & CORRECTED_V) !== 0n
  );
}

function arm(body: CperArmProcessor): string[] {
  const cpu = body.mpidr === undefined ? '' : ` of the processor with MPIDR ${hex(body.mpidr)}`;
  const parts = body.errors.map(e => {
    const names = armErrorTypeNames(e.type ?? 0, e.version);
    const what = names.length === 0 ? `error of reserved type ${hex(e.type ?? 0)}` : list(names);
    const info = e.errorInfo === undefined ? undefined : armErrorInfoTable(e.type ?? 0, e.version);
    const corrected =
      e.errorInfo !== undefined && info !== undefined && isCorrected(info, e.errorInfo) ? ' (corrected)' : '';
    const flags = flagWords(ARM_ERROR_FLAGS, e.flags);
    const at = e.physicalAddress === undefined ? '' : ` at physical address ${hex64(e.physicalAddress)}`;
    const count =
      (e.multipleError ?? 0) > 1 ? `, ${e.multipleError} times` : e.multipleError === 1 ? ', several times' : '';
    return `${what}${corrected}${at}${count}${flags.length === 0 ? '' : ` (${list(flags)})`}`;
  });
  // The other readings of a value that UEFI 2.10 has a name for are the lint's business.
  const doubt = body.errors
    .filter(e => armErrorTypeNames(e.type ?? 0, e.version).length === 0)
    .map(e => armErrorTypeDoubt(e.type ?? 0, e.version))
    .find(d => d !== undefined);
  const running = body.runningState === undefined || ARM_RUNNING_STATE.read(BigInt(body.runningState)).RUNNING;
  return [
    `Processor error${cpu}: ${parts.length === 0 ? 'no error structure' : parts.join('; ')}.`,
    ...(doubt === undefined ? [] : [`UEFI 2.10 has no such type; the value is ${doubt}.`]),
    ...(running ? [] : [`The processor was not running (PSCI state ${hex(body.psciState ?? 0)}).`]),
  ];
}

function pcie(body: CperPcieError): string[] {
  const four = (n: number | undefined): string => (n ?? 0).toString(16).padStart(4, '0');
  const device = pcieDeviceOf(body);
  const at = device === undefined ? '' : ` of ${device}`;
  const id = body.vendorId === undefined ? '' : ` (${four(body.vendorId)}:${four(body.deviceId)})`;
  const port = body.portType === undefined ? '' : `, ${PCIE_PORT_TYPES[body.portType] ?? 'reserved port type'}`;
  return [`PCIe error${at}${id}${port}.`, ...aerWords(body)];
}

function firmware({ recordType, recordId, recordGuid }: CperFirmwareReference): string[] {
  const type = FIRMWARE_RECORD_TYPES[recordType ?? -1];
  const guid = recordGuid === undefined || recordGuid === GUID_NULL ? [] : [`GUID ${recordGuid}`];
  const names = [...(type === undefined ? [] : [type]), ...guid];
  const which = recordId === undefined ? 'a record' : `record ${hex(recordId)}`;
  return [
    `A reference to ${which}${names.length === 0 ? '' : ` (${list(names)})`} in the firmware; what happened stands there.`,
  ];
}

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** What one section says, in sentences. */
export function explainBody(body: CperBody, type = ''): string[] {
  switch (body.kind) {
    case 'memory':
    case 'memory2':
      return memory(body);
    case 'processor':
      return generic(body);
    case 'x86-processor':
      return x86(body);
    case 'arm-processor':
      return arm(body);
    case 'pcie':
      return pcie(body);
    case 'firmware':
      return firmware(body);
    case 'raw': {
      const name = sectionName(type);
      const what = name === 'unknown section' ? `Section of unknown type ${type}` : capital(name);
      return [`${what}: ${body.data.length} bytes that are not taken apart.`];
    }
    default: {
      const name = capital(sectionName(type));
      const said = tableOf(body)?.say(body) ?? [];
      return said[0]?.startsWith(name) === true ? said : [`${name}.`, ...said];
    }
  }
}

function section(s: CperSection, several: boolean, i: number, severity: CperSeverity): string[] {
  const head = several ? [`Section ${i + 1}:`] : [];
  const notes: string[] = [];
  if (s.severity !== severity) notes.push(`Its own severity is ${s.severity}.`);
  const flags = flagWords(CPER_SECTION_FLAGS, s.flags).filter(f => f !== 'primary');
  if (flags.length > 0) notes.push(`Marked ${list(flags)}.`);
  if (s.fruText !== undefined && s.fruText !== '') notes.push(`Part: ${s.fruText}.`);
  return [...head, ...explainBody(s.body, s.type), ...notes];
}

/**
 * Says what the record is, what it names and where it is from, without line breaks. Text of the firmware in it (FRU,
 * brand) is printable ASCII.
 */
/** `bare`: only the section is known, so that nothing is said of a severity. */
export function explainCper(record: CperRecord, bare = false): string {
  const verdict = classifyCper(record);
  const { header, sections, severity } = record;
  const how = header === undefined ? undefined : NOTIFICATION_NAMES[header.notificationType];
  const what =
    record.severityNumber === undefined
      ? LEAD[severity]
      : `Firmware reports an error of severity ${record.severityNumber}, which is none that is specified`;
  const lead = `${what}${how === undefined ? '' : `, notified as ${how}`}.`;
  const stamp = sections.find(s => s.timestamp !== undefined)?.timestamp;
  const own = stamp === undefined ? undefined : decodeTimestamp(stamp);
  const time = header?.timestamp === undefined ? own : timeOfHeader(header);
  const creator = header === undefined ? undefined : CREATOR_NAMES[header.creatorId];
  const flags = flagWords(CPER_RECORD_FLAGS, header?.flags);
  return [
    ...(bare ? [] : [lead]),
    ...(sections.length === 0 ? ['It has no section, so nothing more is known.'] : []),
    ...sections.flatMap((s, i) => section(s, sections.length > 1, i, severity)),
    ...(verdict.worst !== undefined && verdict.worst !== severity && sections.length > 1
      ? [`The worst of the sections is ${verdict.worst}; an operating system acts on the severity of the record.`]
      : []),
    ...(flags.length === 0 ? [] : [`The record is marked ${list(flags)}.`]),
    ...(creator === undefined ? [] : [`It was written by ${creator}.`]),
    ...(time === undefined ? [] : [`Time: ${time.text}${time.precise ? ' (precise)' : ''}.`]),
  ].join(' ');
}
