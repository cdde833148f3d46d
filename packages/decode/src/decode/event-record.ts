/** @module What a log says besides records (page handling, signals, panics, events of QEMU and Xen) as decoded records. */
import { pfnOf } from '../registers/address.ts';
import { placed } from '../registers/field.ts';
import { hex64 } from '../common/hex.ts';
import { RECORD_ROWS, recordName } from '../events/records.ts';
import type { FieldValue } from '../events/row.ts';
import { LazyRecord } from './lazy.ts';
import { outlookOf } from './outlook.ts';
import { placeOfDevice, placeOfEdac } from './place.ts';
import type { DecodedPlace } from './place.ts';
import { timeOfController } from './time.ts';
import type { DecodedTime } from './time.ts';
import type {
  DecodedAddress,
  DecodedOutlook,
  DecodedSeverity,
  DecodedSource,
  Diagnostic,
  RawRecord,
} from './record.ts';

/** Fields that hold a physical address, and whose it is. */
const PHYSICAL: ReadonlyMap<string, 'physical' | 'guest-physical'> = new Map([
  ['addr', 'physical'],
  ['gpa', 'guest-physical'],
]);
const MEMORY_FAILURE = recordName('memory-failure');
const QEMU_MEMORY_FAILURE = recordName('vmm.memory-failure');
const QEMU_SIGBUS_INJECTED = recordName('vmm.sigbus-injected');
const DETAILS = [
  'state',
  'memdev',
  'device',
  'message',
  'page',
  'result',
  'comm',
  'pid',
  'code',
  'action',
  'recipient',
  'reason',
  'vcpu',
  'number',
  'domain',
] as const;
/** Shown without their name. */
const PLAIN: ReadonlySet<string> = new Set(['state', 'memdev', 'device', 'message', 'page']);
/** Addresses of the other spaces, which `address` has no place for. */
const OTHER_SPACES = [
  ['gpa', 'guest physical address'],
  ['hva', 'address in QEMU'],
] as const;

/** Ends of a memory failure that say how bad it was: QEMU qapi/run-state.json, MemoryFailureAction and MemoryFailureFlags. */
function qemuFailureSeverity(fields: Readonly<Record<string, FieldValue>>): DecodedSeverity {
  const { action, recipient, actionRequired } = fields;
  if (action === 'reset' || action === 'fatal') return 'fatal';
  // Memory of QEMU itself: there is no guest to tell, and no corrected error comes this way.
  if (recipient === 'hypervisor') return 'uncorrected';
  return actionRequired === true ? 'uncorrected-recoverable' : 'unknown';
}

function shown(value: FieldValue): string {
  return typeof value === 'bigint' ? hex64(value) : String(value);
}

export class EventDecoded extends LazyRecord {
  readonly kind: 'event' | 'memory-failure';
  readonly raw: RawRecord & { kind: 'event' };

  constructor(
    name: string,
    fields: Readonly<Record<string, FieldValue>>,
    source: DecodedSource,
    diagnostics: readonly Diagnostic[],
  ) {
    super(source, diagnostics);
    this.kind = name === MEMORY_FAILURE ? 'memory-failure' : 'event';
    this.raw = { kind: 'event', name, fields };
  }

  override get cpu(): number | undefined {
    const cpu = this.raw.fields['cpu'];
    return typeof cpu === 'number' ? cpu : undefined;
  }
  override get bank(): number | undefined {
    const bank = this.raw.fields['bank'];
    return typeof bank === 'number' ? bank : undefined;
  }
  override get registers(): Readonly<Record<string, bigint>> {
    const out: Record<string, bigint> = {};
    for (const [name, value] of Object.entries(this.raw.fields)) if (typeof value === 'bigint') out[name] = value;
    return out;
  }
  override get class(): string {
    return this.raw.name;
  }
  override get severity(): DecodedSeverity {
    if (this.raw.name === QEMU_MEMORY_FAILURE) return qemuFailureSeverity(this.raw.fields);
    if (this.kind === 'memory-failure' && this.raw.fields['result'] !== 'Recovered') return 'uncorrected';
    return RECORD_ROWS.get(this.raw.name)?.severity ?? 'info';
  }
  override get address(): DecodedAddress | undefined {
    for (const [name, value] of Object.entries(this.raw.fields)) {
      if (typeof value !== 'bigint') continue;
      if (name === 'pfn') {
        const page = this.#page(value);
        if (page !== undefined) return page;
        continue;
      }
      const space = PHYSICAL.get(name);
      if (space !== undefined) return { value, space, pfn: pfnOf(value) };
    }
    const virt = this.raw.fields['virt'] ?? this.raw.fields['hva'];
    return typeof virt === 'bigint' ? { value: virt, space: 'virtual' } : undefined;
  }
  /** A controller keeps the time of each event itself; what stands before the line is when it was printed. */
  override get time(): DecodedTime | undefined {
    const { time } = this.raw.fields;
    return (typeof time === 'string' ? timeOfController(time) : undefined) ?? super.time;
  }
  protected override get namedPlace(): DecodedPlace | undefined {
    // Of a controller's log the label alone is the place: its sentences are those of its maker.
    const { label } = this.raw.fields;
    if (RECORD_ROWS.get(this.raw.name)?.reporter === 'device') return placeOfDevice(this.raw.fields);
    return this.#ofDriver ? placeOfEdac(this.raw.fields) : typeof label === 'string' ? { label } : undefined;
  }
  override get count(): number | undefined {
    const { count } = this.raw.fields;
    return this.#counts && typeof count === 'number' ? count : undefined;
  }
  override get headline(): string {
    const words = RECORD_ROWS.get(this.raw.name);
    const { fields } = this.raw;
    // Of CXL memory `device` is a chip in the module, which `place` has.
    const isShown = (n: string): boolean =>
      fields[n] !== undefined && (n !== 'device' || typeof fields[n] === 'string');
    const detail = DETAILS.filter(isShown).map(n => `${PLAIN.has(n) ? '' : `${n} `}${shown(fields[n] ?? '')}`);
    if (fields['actionRequired'] !== undefined) {
      detail.push(fields['actionRequired'] === true ? 'action required' : 'no action required');
    }
    if (fields['recursive'] === true) detail.push('recursive');
    for (const [name, what] of OTHER_SPACES) {
      const value = fields[name];
      if (typeof value === 'bigint') detail.push(`${what} ${hex64(value)}`);
    }
    // A controller that names no module names at least its sensor.
    const { sensor, label } = fields;
    if (typeof sensor === 'string' && label === undefined && sensor.includes('#')) detail.push(`sensor ${sensor}`);
    const { apicId } = fields;
    if (typeof apicId === 'bigint') detail.push(`APIC ID 0x${apicId.toString(16)}`);
    const pfn = fields['pfn'];
    if (typeof pfn === 'bigint') detail.unshift(`page frame 0x${pfn.toString(16)}`);
    return `${words?.headline ?? this.raw.name}${detail.length === 0 ? '' : `: ${detail.join(', ')}`}`;
  }
  override get explanation(): string {
    const text = RECORD_ROWS.get(this.raw.name)?.explanation ?? 'An event without a description.';
    const { pfn, pageShift, arch, pages, addr } = this.raw.fields;
    if (typeof pages === 'string') {
      return `${text} Page and offset count pages ${pages}; nothing in the log proves which${addr === undefined ? ', so the address is not known' : ''}.`;
    }
    if (typeof pfn !== 'bigint' || pageShift !== undefined) return text;
    return arch === 'arm64'
      ? `${text} It counts pages of the kernel, 4, 16 or 64 KiB on arm64; the log does not say which, so the address is not known.`
      : `${text} The address is that of pages of 4 KiB; an arm64 kernel may count 16 or 64 KiB.`;
  }
  override get nextStep(): string {
    return RECORD_ROWS.get(this.raw.name)?.next ?? 'Nothing to do.';
  }
  /** A memory controller's driver says how many errors, and where, in its own words. */
  get #ofDriver(): boolean {
    return RECORD_ROWS.get(this.raw.name)?.reporter === 'driver';
  }
  /** A controller of the board says how many, too. */
  get #counts(): boolean {
    return this.#ofDriver || RECORD_ROWS.get(this.raw.name)?.reporter === 'controller';
  }
  /** The page of a frame number: it counts pages of the kernel that printed it. */
  #page(frame: bigint): DecodedAddress | undefined {
    const { pageShift, arch, page } = this.raw.fields;
    if (pageShift === undefined && arch === 'arm64') return undefined;
    const lsb = typeof pageShift === 'number' ? pageShift : 12;
    const value = placed(frame, lsb);
    const start = { value, space: 'physical', pfn: pfnOf(value) } as const;
    // Of a huge page the log does not say how large it is.
    return typeof page === 'string' && page.includes('huge') ? start : { ...start, lsb, pages: 1n << BigInt(lsb - 12) };
  }
  /** QEMU got the signal: what it does with it is known. */
  protected override predictions(): readonly DecodedOutlook[] {
    const { code, gpa } = this.raw.fields;
    if (this.raw.name !== QEMU_SIGBUS_INJECTED) return [];
    if (code !== 'BUS_MCEERR_AO' && code !== 'BUS_MCEERR_AR') return [];
    return outlookOf({ kind: 'sigbus', code, ...(typeof gpa === 'bigint' ? { gpa } : {}) });
  }
}
