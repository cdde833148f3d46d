/** @module A CPER record or a GHES block as a decoded record. */
import { dropBelow, pfnOf } from '../registers/address.ts';
import { classifyCper, isOfPreviousBoot } from '../cper/classify.ts';
import type { CperClass } from '../cper/classify.ts';
import { SECTION_NAMES } from '../cper/guid.ts';
import { describeSection } from '../cper/describe.ts';
import { CPER_SECTION_FLAGS } from '../cper/flags.ts';
import { explainCper } from '../cper/explain.ts';
import { lintCper } from '../cper/lint.ts';
import { nextStepCper } from '../cper/next-step.ts';
import { rowOf } from '../cper/memory.ts';
import { pagesOfCper } from '../cper/page.ts';
import type { CperMemoryError, CperMemoryError2, CperRecord, CperSection, CperSeverity } from '../cper/record.ts';
import { timeOfHeader } from '../cper/timestamp.ts';
import { registersOfCper } from '../cper/section-registers.ts';
import { addressesOf } from '../cper/tables.ts';
import { describeHead, describeSectionBits } from '../cper/registers.ts';
import { hex64 } from '../common/hex.ts';
import type { RegisterView } from '../registers/view.ts';
import { LazyRecord } from './lazy.ts';
import { outlookOf } from './outlook.ts';
import { pcieDeviceOf } from '../registers/pci-name.ts';
import { placeOfCper } from './place.ts';
import type { DecodedPlace } from './place.ts';
import { timeOfLocal } from './time.ts';
import type { DecodedTime } from './time.ts';
import type {
  DecodedAddress,
  DecodedComponent,
  DecodedField,
  DecodedOutlook,
  DecodedSeverity,
  DecodedSource,
  Diagnostic,
  Finding,
} from './record.ts';

const SEVERITY: Readonly<Record<CperSeverity, DecodedSeverity>> = {
  recoverable: 'uncorrected-recoverable',
  fatal: 'fatal',
  corrected: 'corrected',
  none: 'info',
};

/** Bytes of a member are shown up to here; `--raw` has them all. */
const MAX_VALUE = 512;

function nameOf(type: string): string {
  return SECTION_NAMES[type] ?? `section of unknown type ${type}`;
}

function memoryOf(section: CperSection): CperMemoryError | CperMemoryError2 | undefined {
  return section.body.kind === 'memory' || section.body.kind === 'memory2' ? section.body : undefined;
}

/** Of sections that are read by a table. */
const AREA_OF_CLASS: Readonly<Partial<Record<CperClass, DecodedComponent['area']>>> = {
  memory: 'memory',
  processor: 'core',
  pcie: 'io',
};

const AREA: Readonly<Record<string, DecodedComponent['area']>> = {
  processor: 'core',
  'x86-processor': 'core',
  'arm-processor': 'core',
  pcie: 'io',
  firmware: 'firmware',
};

/** Where a memory section says the error is, in the words of the record. */
function place(m: CperMemoryError | CperMemoryError2): string {
  const names = ['node', 'card', 'module', 'rank', 'bank', 'device', 'row', 'column', 'bitPosition'] as const;
  return names
    .map(n => [n, n === 'row' ? rowOf(m) : m[n]] as const)
    .filter(([, value]) => value !== undefined)
    .map(([n, value]) => `${n === 'bitPosition' ? 'bit' : n} ${value}`)
    .join(', ');
}

/** The fields of bit fields; the register is the path of its member. */
const bitRows = (views: readonly RegisterView[]): DecodedField[] =>
  views.flatMap(({ member, rows }) => rows.map(row => ({ register: member, ...row })));

/** `PCIe device 0005:01:00.0 (12d8:c008)` of the first section of one, in the words of `lspci`. */
function pcieOf({ sections }: CperRecord): string | undefined {
  for (const { body } of sections) {
    if (body.kind !== 'pcie') continue;
    const device = pcieDeviceOf(body);
    const { vendorId, deviceId } = body;
    const hex = (id: number | undefined): string => (id ?? 0).toString(16).padStart(4, '0');
    if (device !== undefined) return `PCIe device ${device} (${hex(vendorId)}:${hex(deviceId)})`;
  }
  return undefined;
}

export class CperDecoded extends LazyRecord {
  readonly kind = 'cper';
  readonly raw: CperRecord;
  /** Of Linux's extended log, which acts on nothing. */
  readonly extlog: boolean;
  #registers: Readonly<Record<string, bigint>> | undefined;
  #fields: readonly DecodedField[] | undefined;
  #byRegister: ReadonlyMap<string, readonly DecodedField[]> | undefined;

  constructor(raw: CperRecord, source: DecodedSource, diagnostics: readonly Diagnostic[], extlog = false) {
    super(source, diagnostics);
    this.raw = raw;
    this.extlog = extlog;
  }

  /** The input is a section without the record that says how bad it is. */
  get #bare(): boolean {
    return this.source.from === 'cper-section';
  }
  /** Linux or the firmware says that it tells of the boot before. */
  get ofPreviousBoot(): boolean {
    return isOfPreviousBoot(this.raw);
  }
  override get class(): string {
    return this.#bare || this.raw.severityNumber !== undefined ? 'unknown' : this.raw.severity;
  }
  override get severity(): DecodedSeverity {
    return this.#bare || this.raw.severityNumber !== undefined ? 'unknown' : SEVERITY[this.raw.severity];
  }
  override get registers(): Readonly<Record<string, bigint>> {
    return (this.#registers ??= registersOfCper(this.raw));
  }
  override get flags(): readonly string[] {
    const all = this.raw.sections.reduce((sum, s) => sum | s.flags, 0);
    return CPER_SECTION_FLAGS.fields.filter(f => (all >>> f.lo) & 1).map(f => f.name);
  }
  override get address(): DecodedAddress | undefined {
    const [page] = pagesOfCper(this.raw);
    const named = this.raw.sections.flatMap(({ body }) => {
      const memory = body.kind === 'memory' || body.kind === 'memory2' ? [body] : [];
      const all = body.kind === 'arm-processor' ? body.errors : memory;
      return [...all.flatMap(e => e.physicalAddress ?? []), ...addressesOf(body)];
    });
    // The address as it is written, not the start of its page.
    const value = named.find(a => page === undefined || dropBelow(a, page.lsb) === page.address);
    if (value === undefined) return undefined;
    if (page === undefined) return { value, space: 'physical', pfn: pfnOf(value), pages: 1n };
    const { pfn, pages, lsb } = page;
    return { value, space: 'physical', pfn, pages, lsb };
  }
  override get component(): DecodedComponent | undefined {
    const { sections } = this.raw;
    const first = sections[0];
    if (first === undefined) return undefined;
    const memory = sections.map(memoryOf).find(m => m !== undefined);
    const fru = sections.find(s => s.fruText !== undefined)?.fruText;
    const dimm = memory?.kind === 'memory' ? memory.dimmLocation : undefined;
    const where = [memory === undefined ? '' : place(memory), dimm === undefined ? '' : `DIMM ${dimm}`]
      .filter(part => part !== '')
      .join(', ');
    const name = where === '' ? (pcieOf(this.raw) ?? nameOf(first.type)) : `memory: ${where}`;
    return {
      area:
        memory !== undefined
          ? 'memory'
          : (AREA[first.body.kind] ?? AREA_OF_CLASS[classifyCper(this.raw).class] ?? 'unknown'),
      name,
      ...(fru === undefined ? {} : { detail: `FRU ${fru}` }),
      basis: 'the sections of the record',
    };
  }
  protected override get namedPlace(): DecodedPlace | undefined {
    return placeOfCper(this.raw);
  }
  override get time(): DecodedTime | undefined {
    const { header } = this.raw;
    const said = header === undefined ? undefined : timeOfHeader(header);
    return said === undefined ? this.lineTime : timeOfLocal(said.text);
  }
  override get fields(): readonly DecodedField[] {
    return (this.#fields ??= this.#allFields());
  }
  override fieldsOf(register: string): readonly DecodedField[] {
    // A record may have as many registers as error structures: they are looked through once.
    this.#byRegister ??= Map.groupBy(this.fields, f => f.register);
    return this.#byRegister.get(register) ?? [];
  }
  #allFields(): DecodedField[] {
    const rows: DecodedField[] = this.#bare ? [] : [{ register: 'block', name: 'severity', value: this.class }];
    rows.push(...bitRows(describeHead(this.raw)));
    this.raw.sections.forEach((section, i) => {
      const register = `section ${i}`;
      rows.push({ register, name: 'type', value: section.type, meaning: nameOf(section.type) });
      if (!this.#bare) {
        const value = section.severityNumber === undefined ? section.severity : 'unknown';
        rows.push({ register, name: 'severity', value });
      }
      for (const row of describeSection(section.body))
        rows.push({ register, ...row, value: row.value.slice(0, MAX_VALUE) });
      if (section.fruText !== undefined) rows.push({ register, name: 'fruText', value: section.fruText });
      if (section.fruId !== undefined) rows.push({ register, name: 'fruId', value: section.fruId });
      for (const row of bitRows(describeSectionBits(this.raw, i))) rows.push(row);
    });
    return rows;
  }
  override get headline(): string {
    const { sections } = this.raw;
    const what = sections.length === 0 ? 'no section' : [...new Set(sections.map(s => nameOf(s.type)))].join(', ');
    const at = this.address === undefined ? '' : ` at ${hex64(this.address.value)}`;
    if (this.#bare) return `Section of a firmware error record: ${what}${at}`;
    return `Firmware error record${this.ofPreviousBoot ? ' of the previous boot' : ''}, ${this.class}: ${what}${at}`;
  }
  override get explanation(): string {
    return explainCper(this.raw, this.#bare);
  }
  override get nextStep(): string {
    return nextStepCper(this.raw, { bare: this.#bare, extlog: this.extlog }).join(' ');
  }
  protected override findings(): readonly Finding[] {
    return lintCper(this.raw);
  }
  protected override predictions(): readonly DecodedOutlook[] {
    // Nobody acts on what the boot before left behind or extlog prints, nor on what has no severity.
    if (this.#bare || this.extlog || this.ofPreviousBoot || this.raw.severityNumber !== undefined) return [];
    // Linux gets the status blocks of APEI; a whole UEFI record is what Windows, a BMC or a store of records has.
    if (this.raw.header !== undefined) return [];
    return outlookOf(this.raw, this.source.from);
  }
}
