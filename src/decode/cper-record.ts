/** @module A CPER record or a GHES block as a decoded record. */
import { SECTION_NAMES } from '../cper/guid.ts';
import { memoryErrorTypeName } from '../cper/memory.ts';
import type { CperMemoryError, CperMemoryError2, CperRecord, CperSection, CperSeverity } from '../cper/record.ts';
import { hex64 } from '../common/hex.ts';
import { LazyRecord } from './lazy.ts';
import { outlookOf } from './outlook.ts';
import type {
  DecodedAddress,
  DecodedComponent,
  DecodedField,
  DecodedOutlook,
  DecodedSeverity,
  DecodedSource,
  Diagnostic,
} from './record.ts';

const SEVERITY: Readonly<Record<CperSeverity, DecodedSeverity>> = {
  recoverable: 'uncorrected-recoverable',
  fatal: 'fatal',
  corrected: 'corrected',
  none: 'info',
};

const LEAD: Readonly<Record<CperSeverity, string>> = {
  recoverable: 'Firmware reports an uncorrected error that software can recover from',
  fatal: 'Firmware reports a fatal error',
  corrected: 'Firmware reports a corrected error',
  none: 'Firmware reports something for information only',
};

const NEXT: Readonly<Record<CperSeverity, string>> = {
  recoverable:
    'Look for `Memory failure:` lines with the page of the physical address: Recovered means it is out of use. Without an address in the record Linux cannot take a page away.',
  fatal: 'Expect a panic (`Fatal hardware error`) or a reset. The record itself survives in BERT or ERST; keep it.',
  corrected:
    'Count them by node, card, module, rank and row; many from one place mean that the part wears out and is to be replaced.',
  none: 'Nothing to do.',
};

function nameOf(type: string): string {
  return SECTION_NAMES[type] ?? `section of unknown type ${type}`;
}

function memoryOf(section: CperSection): CperMemoryError | CperMemoryError2 | undefined {
  return section.body.kind === 'memory' || section.body.kind === 'memory2' ? section.body : undefined;
}

const AREA: Readonly<Record<string, DecodedComponent['area']>> = {
  processor: 'core',
  'x86-processor': 'core',
  'arm-processor': 'core',
  pcie: 'io',
  firmware: 'firmware',
};

/** log2 of the size that an address mask leaves open; undefined when the mask has holes. */
function lsbOfMask(mask: bigint | undefined): number | undefined {
  if (mask === undefined || mask === 0n) return undefined;
  const size = BigInt.asUintN(64, ~mask) + 1n;
  const lsb = size.toString(2).length - 1;
  return size === 1n << BigInt(lsb) && lsb < 64 ? lsb : undefined;
}

/** Where a memory section says the error is, in the words of the record. */
function place(m: CperMemoryError | CperMemoryError2): string {
  const names = ['node', 'card', 'module', 'rank', 'bank', 'device', 'row', 'column', 'bitPosition'] as const;
  return names
    .filter(n => m[n] !== undefined)
    .map(n => `${n === 'bitPosition' ? 'bit' : n} ${m[n]}`)
    .join(', ');
}

export class CperDecoded extends LazyRecord {
  readonly kind = 'cper';
  readonly raw: CperRecord;

  constructor(raw: CperRecord, source: DecodedSource, diagnostics: readonly Diagnostic[]) {
    super(source, diagnostics);
    this.raw = raw;
  }

  override get class(): string {
    return this.raw.severity;
  }
  override get severity(): DecodedSeverity {
    return SEVERITY[this.raw.severity];
  }
  override get flags(): readonly string[] {
    // UEFI 2.10 N.2.2, section flags.
    const names = [
      'PRIMARY',
      'CONTAINMENT_WARNING',
      'RESET',
      'THRESHOLD_EXCEEDED',
      'NOT_ACCESSIBLE',
      'LATENT',
      'PROPAGATED',
      'OVERFLOW',
    ];
    const all = this.raw.sections.reduce((sum, s) => sum | s.flags, 0);
    return names.filter((_, i) => (all & (1 << i)) !== 0);
  }
  override get address(): DecodedAddress | undefined {
    for (const section of this.raw.sections) {
      const m = memoryOf(section);
      const arm = section.body.kind === 'arm-processor' ? section.body : undefined;
      const physical = m?.physicalAddress ?? arm?.errors.find(e => e.physicalAddress !== undefined)?.physicalAddress;
      if (physical === undefined) continue;
      const lsb = lsbOfMask(m?.physicalAddressMask);
      const address: DecodedAddress = {
        value: physical,
        space: 'physical',
        pfn: physical >> 12n,
        pages: lsb !== undefined && lsb > 12 ? 1n << BigInt(lsb - 12) : 1n,
      };
      if (lsb !== undefined) address.lsb = lsb;
      return address;
    }
    return undefined;
  }
  override get component(): DecodedComponent | undefined {
    const { sections } = this.raw;
    const first = sections[0];
    if (first === undefined) return undefined;
    const memory = sections.map(memoryOf).find(m => m !== undefined);
    const fru = sections.find(s => s.fruText !== undefined)?.fruText;
    const where = memory === undefined ? '' : place(memory);
    const name = where === '' ? nameOf(first.type) : `memory: ${where}`;
    return {
      area: memory !== undefined ? 'memory' : (AREA[first.body.kind] ?? 'unknown'),
      name,
      ...(fru === undefined ? {} : { detail: `FRU ${fru}` }),
      basis: 'the sections of the record',
    };
  }
  override get fields(): readonly DecodedField[] {
    const rows: DecodedField[] = [{ register: 'block', name: 'severity', value: this.raw.severity }];
    this.raw.sections.forEach((section, i) => {
      const register = `section ${i}`;
      rows.push({ register, name: 'type', value: section.type, meaning: nameOf(section.type) });
      rows.push({ register, name: 'severity', value: section.severity });
      for (const [name, value] of Object.entries(section.body)) {
        if (typeof value !== 'bigint' && typeof value !== 'number' && typeof value !== 'string') continue;
        if (name === 'kind') continue;
        const row: DecodedField = { register, name, value };
        if (name === 'errorType' && typeof value === 'number') row.meaning = memoryErrorTypeName(value);
        rows.push(row);
      }
      if (section.fruText !== undefined) rows.push({ register, name: 'fruText', value: section.fruText });
      if (section.fruId !== undefined) rows.push({ register, name: 'fruId', value: section.fruId });
    });
    return rows;
  }
  override get headline(): string {
    const { sections, severity } = this.raw;
    const what = sections.length === 0 ? 'no section' : [...new Set(sections.map(s => nameOf(s.type)))].join(', ');
    const at = this.address === undefined ? '' : ` at ${hex64(this.address.value)}`;
    return `Firmware error record, ${severity}: ${what}${at}`;
  }
  override get explanation(): string {
    const parts = this.raw.sections.map(section => {
      const m = memoryOf(section);
      if (m === undefined) return `${nameOf(section.type)}, severity ${section.severity}`;
      const type = m.errorType === undefined ? '' : `: ${memoryErrorTypeName(m.errorType)}`;
      const at =
        m.physicalAddress === undefined
          ? ', without an address'
          : ` at physical address ${hex64(m.physicalAddress)} (page frame 0x${(m.physicalAddress >> 12n).toString(16)})`;
      const where = place(m);
      return `memory error${type}${at}${where === '' ? '' : `, ${where}`}`;
    });
    const text = parts.length === 0 ? 'It holds no section.' : `${parts.join('; ')}.`;
    return `${LEAD[this.raw.severity]}. ${text.charAt(0).toUpperCase()}${text.slice(1)}`;
  }
  override get nextStep(): string {
    return NEXT[this.raw.severity];
  }
  protected override predictions(): readonly DecodedOutlook[] {
    return outlookOf(this.raw);
  }
}
