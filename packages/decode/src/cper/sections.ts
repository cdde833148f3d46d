/** @module The section types this room reads and writes, by GUID. */
import { decodeArm, encodeArm } from './arm.ts';
import { CperError, wordOf } from './error.ts';
import type { CperDiagnostic } from './error.ts';
import { FIRMWARE_LAYOUT, FIRMWARE_LENGTH_0 } from './firmware.ts';
import {
  SECTION_FIRMWARE,
  SECTION_MEMORY,
  SECTION_MEMORY2,
  SECTION_NAMES,
  SECTION_PCIE,
  SECTION_PROC_ARM,
  SECTION_PROC_GENERIC,
  SECTION_PROC_X86,
} from './guid.ts';
import { readLayout, writeLayout } from './layout.ts';
import type { Layout } from './layout.ts';
import { decodeMemoryError, decodeMemoryError2, encodeMemoryError, encodeMemoryError2 } from './memory.ts';
import { PCIE_LAYOUT } from './pcie.ts';
import { PROCESSOR_LAYOUT } from './processor.ts';
import { decodeTabled, encodeTabled } from './tabled.ts';
import type { Tabled } from './tabled.ts';
import { TABLED } from './tables.ts';
import type { CperBody, CperRawSection, CperTabled } from './record.ts';
import { decodeX86, encodeX86 } from './x86.ts';

type CperKnownBody = Exclude<CperBody, CperRawSection>;
export type CperKind = CperKnownBody['kind'];

/** One section type. */
interface SectionType<B extends CperKnownBody = CperKnownBody> {
  /** GUID text. */
  type: string;
  kind: B['kind'];
  name: string;
  /** Manual and section. */
  source: string;
  /** Reads a section; value is undefined when the bytes are too short to be one. Never throws. */
  decode(bytes: Uint8Array, base?: number): { value: B | undefined; diagnostics: CperDiagnostic[] };
  /** The bytes of a section. Throws {@link CperError} for values that do not fit. */
  encode(body: B): Uint8Array;
}

/** A section that is one structure; bytes beyond it are kept. */
function flatSection<B extends CperKnownBody>(
  type: string,
  kind: B['kind'],
  layout: Layout,
  least: number,
): SectionType<B> {
  return {
    type,
    kind,
    name: SECTION_NAMES[type] ?? kind,
    source: layout.source,
    decode(bytes, base = 0) {
      const diagnostics: CperDiagnostic[] = [];
      if (bytes.length < least) {
        const message = `a ${layout.name} of ${bytes.length} bytes is too short, ${least} is the least`;
        return { value: undefined, diagnostics: [{ code: 'E_CPER_TRUNCATED', message, offset: base }] };
      }
      if (bytes.length !== layout.length) {
        const message = `a ${layout.name} of ${bytes.length} bytes, ${layout.length} expected`;
        diagnostics.push({ code: 'W_CPER_LENGTH', message, offset: base });
      }
      const value = readLayout(layout, bytes, base, (code, message, offset) => {
        diagnostics.push({ code, message, offset });
      });
      return { value: { kind, ...value } as B, diagnostics };
    },
    encode: body => writeLayout(layout, body),
  };
}

const PROCESSOR_LEAST = 192;
const PCIE_LEAST = 208;

const tabled = (table: Tabled): SectionType<CperTabled> => ({
  type: table.type,
  kind: table.kind,
  name: SECTION_NAMES[table.type] ?? table.kind,
  source: table.layout.source,
  decode: (bytes, base = 0) => decodeTabled(table, bytes, base),
  encode: body => encodeTabled(table, body),
});

function define<B extends CperKnownBody>(s: SectionType<B>): SectionType {
  return s as unknown as SectionType;
}

/** Every section type that is taken apart, in the order of the specification, and those read by a table behind them. */
export const SECTIONS: readonly SectionType[] = [
  define(flatSection(SECTION_PROC_GENERIC, 'processor', PROCESSOR_LAYOUT, PROCESSOR_LEAST)),
  define({
    type: SECTION_PROC_X86,
    kind: 'x86-processor',
    name: SECTION_NAMES[SECTION_PROC_X86] ?? '',
    source: 'UEFI 2.10 N.2.4.2',
    decode: decodeX86,
    encode: encodeX86,
  }),
  define({
    type: SECTION_PROC_ARM,
    kind: 'arm-processor',
    name: SECTION_NAMES[SECTION_PROC_ARM] ?? '',
    source: 'UEFI 2.10 N.2.4.4',
    decode: decodeArm,
    encode: encodeArm,
  }),
  define({
    type: SECTION_MEMORY,
    kind: 'memory',
    name: SECTION_NAMES[SECTION_MEMORY] ?? '',
    source: 'UEFI 2.10 N.2.5',
    decode: decodeMemoryError,
    encode: encodeMemoryError,
  }),
  define({
    type: SECTION_MEMORY2,
    kind: 'memory2',
    name: SECTION_NAMES[SECTION_MEMORY2] ?? '',
    source: 'UEFI 2.10 N.2.6',
    decode: decodeMemoryError2,
    encode: encodeMemoryError2,
  }),
  define(flatSection(SECTION_PCIE, 'pcie', PCIE_LAYOUT, PCIE_LEAST)),
  define(flatSection(SECTION_FIRMWARE, 'firmware', FIRMWARE_LAYOUT, FIRMWARE_LENGTH_0)),
  ...TABLED.map(t => define(tabled(t))),
];

const BY_TYPE = new Map(SECTIONS.map(s => [s.type, s]));
const BY_KIND = new Map(SECTIONS.map(s => [s.kind, s]));

/** The section type of a GUID; undefined when it is not taken apart here. */
export function sectionType(guid: string): SectionType | undefined {
  return BY_TYPE.get(guid.toLowerCase());
}

/** The section type of a body kind; undefined for `raw`. */
export function sectionOfKind(kind: string): SectionType | undefined {
  return BY_KIND.get(kind as CperKind);
}

/** The name of a section type, or `unknown section`. */
export function sectionName(guid: string): string {
  return SECTION_NAMES[guid.toLowerCase()] ?? 'unknown section';
}

/** Reads the body of a section: raw when the type is not known or the bytes are too short for it. Never throws. */
export function decodeSection(
  guid: string,
  bytes: Uint8Array,
  base = 0,
): { value: CperBody; diagnostics: CperDiagnostic[] } {
  const raw = (): CperRawSection => ({ kind: 'raw', data: bytes.slice() });
  const known = sectionType(guid);
  if (known === undefined) return { value: raw(), diagnostics: [] };
  const { value, diagnostics } = known.decode(bytes, base);
  return { value: value ?? raw(), diagnostics };
}

/** The bytes of a section body. Throws {@link CperError} for values that do not fit. */
export function encodeSection(body: CperBody): Uint8Array {
  if (body.kind === 'raw') return body.data;
  const known = sectionOfKind(body.kind);
  if (known === undefined) {
    throw new CperError('E_CPER_FIELD', `no section of kind ${wordOf((body as { kind: unknown }).kind)}`, {
      hint: `Kinds are ${[...SECTIONS.map(s => s.kind), 'raw'].join(', ')}.`,
    });
  }
  return known.encode(body);
}
