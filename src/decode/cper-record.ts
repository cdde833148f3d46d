/** @module A CPER record or a GHES block as a decoded record. */
import { SECTION_NAMES } from '../cper/guid.ts';
import { describeSection } from '../cper/describe.ts';
import { explainCper } from '../cper/explain.ts';
import { lintCper } from '../cper/lint.ts';
import { rowOf } from '../cper/memory.ts';
import { pagesOfCper } from '../cper/page.ts';
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
  Finding,
} from './record.ts';

const SEVERITY: Readonly<Record<CperSeverity, DecodedSeverity>> = {
  recoverable: 'uncorrected-recoverable',
  fatal: 'fatal',
  corrected: 'corrected',
  none: 'info',
};

const NEXT: Readonly<Record<CperSeverity, string>> = {
  recoverable:
    'Look for `Memory failure:` lines with the page of the physical address: Recovered means it is out of use. Without an address in the record Linux cannot take a page away.',
  fatal: 'Expect a panic (`Fatal hardware error`) or a reset. The record itself survives in BERT or ERST; keep it.',
  corrected:
    'Count them by node, card, module, rank and row; many from one place mean that the part wears out and is to be replaced.',
  none: 'Nothing to do.',
};

/** Bytes of a member are shown up to here; `--raw` has them all. */
const MAX_VALUE = 512;

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

/** Where a memory section says the error is, in the words of the record. */
function place(m: CperMemoryError | CperMemoryError2): string {
  const names = ['node', 'card', 'module', 'rank', 'bank', 'device', 'row', 'column', 'bitPosition'] as const;
  return names
    .map(n => [n, n === 'row' ? rowOf(m) : m[n]] as const)
    .filter(([, value]) => value !== undefined)
    .map(([n, value]) => `${n === 'bitPosition' ? 'bit' : n} ${value}`)
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
    const [page] = pagesOfCper(this.raw);
    const named = this.raw.sections.flatMap(({ body }) => {
      const memory = body.kind === 'memory' || body.kind === 'memory2' ? [body] : [];
      const all = body.kind === 'arm-processor' ? body.errors : memory;
      return all.flatMap(e => e.physicalAddress ?? []);
    });
    // The address as it is written, not the start of its page.
    const value = named.find(a => page === undefined || a >> BigInt(page.lsb) === page.address >> BigInt(page.lsb));
    if (value === undefined) return undefined;
    if (page === undefined) return { value, space: 'physical', pfn: value >> 12n, pages: 1n };
    const { pfn, pages, lsb } = page;
    return { value, space: 'physical', pfn, pages, lsb };
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
      for (const row of describeSection(section.body))
        rows.push({ register, ...row, value: row.value.slice(0, MAX_VALUE) });
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
    return explainCper(this.raw);
  }
  override get nextStep(): string {
    return NEXT[this.raw.severity];
  }
  protected override findings(): readonly Finding[] {
    return lintCper(this.raw);
  }
  protected override predictions(): readonly DecodedOutlook[] {
    return outlookOf(this.raw, this.source.from);
  }
}
