/** Random valid sections, blocks and records, made from the field tables. */
import fc from 'fast-check';
import { ARM_CONTEXT_LAYOUT, ARM_ERROR_LAYOUT, ARM_LAYOUT } from '../arm.ts';
import { FIRMWARE_LAYOUT } from '../firmware.ts';
import { CPER_SEVERITIES } from '../ghes.ts';
import { guidFromBytes } from '../guid.ts';
import { VALIDATION_MEMBER } from '../layout.ts';
import type { Layout, LayoutField } from '../layout.ts';
import { MEMORY2_LAYOUT, MEMORY_LAYOUT } from '../memory.ts';
import { PCIE_LAYOUT } from '../pcie.ts';
import { PROCESSOR_LAYOUT } from '../processor.ts';
import type { CperBody, CperRecord, CperSection } from '../record.ts';
import { SECTIONS, sectionType } from '../sections.ts';
import type { Tabled } from '../tabled.ts';
import { TABLED } from '../tables.ts';
import type { CperKind } from '../sections.ts';
import { X86_CONTEXT_LAYOUT, X86_ERROR_LAYOUT, X86_LAYOUT } from '../x86.ts';

export const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const guid = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(b => guidFromBytes(b, 0));
const ascii = (max: number): fc.Arbitrary<string> =>
  fc.array(fc.integer({ min: 0x20, max: 0x7e }), { maxLength: max }).map(a => String.fromCharCode(...a));

function member(field: LayoutField): fc.Arbitrary<unknown> {
  switch (field.kind) {
    case 'integer': {
      const width = field.hi - field.lo + 1;
      return width > 32 ? u64 : fc.integer({ min: 0, max: 2 ** width - 1 });
    }
    case 'bytes':
      return fc.uint8Array({ minLength: field.size, maxLength: field.size });
    case 'guid':
      return guid;
    case 'text':
      return ascii(field.size);
    case 'flag':
      return fc.constant(true);
  }
}

/** Members of a structure: those with a validation bit may be missing, together when they share it. */
function members(layout: Layout, skip: readonly string[] = []): fc.Arbitrary<Record<string, unknown>> {
  const fields = layout.fields.filter(f => !skip.includes(f.name));
  const bits = [...new Set(fields.flatMap(f => (f.valid === undefined ? [] : [f.valid])))];
  const all = fc.record(Object.fromEntries(fields.map(f => [f.name, member(f)])));
  return fc
    .tuple(all, fc.subarray(bits))
    .map(([values, there]) =>
      Object.fromEntries(
        fields
          .filter(f => f.valid === undefined || there.includes(f.valid))
          .map(f => [f.name, (values as Record<string, unknown>)[f.name]]),
      ),
    );
}

/** The group and the address of a bank are parts of it; a row has one place in memory section 1. */
function agree(given: Record<string, unknown>): Record<string, unknown> {
  const values =
    given['row'] === undefined || given['rowLow'] === undefined ? given : { ...given, rowLow: given['row'] };
  const bank = values['bank'] as number | undefined;
  if (bank === undefined) return values;
  return {
    ...values,
    ...(values['bankGroup'] === undefined ? {} : { bankGroup: bank >> 8 }),
    ...(values['bankAddress'] === undefined ? {} : { bankAddress: bank & 0xff }),
  };
}

const data = fc.uint8Array({ maxLength: 64 });
const lists = (error: Layout, context: Layout, fixed: object) =>
  fc.record({
    errors: fc.array(
      members(error, Object.keys(fixed)).map(e => ({ ...e, ...fixed })),
      { maxLength: 4 },
    ),
    contexts: fc.array(
      fc.tuple(members(context, ['arraySize']), data).map(([c, bytes]) => ({ ...c, data: bytes })),
      { maxLength: 3 },
    ),
  });

/** A section that is read by a table: as many rows as it counts. */
function tabled({ layout, rows, kind }: Tabled): readonly [string, fc.Arbitrary<Record<string, unknown>>] {
  if (rows === undefined) return [kind, members(layout)];
  const { member, count, at } = rows;
  return [
    kind,
    fc
      .tuple(
        members(layout, [count, ...(at === undefined ? [] : [at])]),
        fc.array(members(rows.layout), { maxLength: 4 }),
      )
      .map(([head, list]) => ({
        ...head,
        [count]: list.length,
        ...(at === undefined ? {} : { [at]: layout.length }),
        [member]: list,
      })),
  ];
}

const BODIES: Readonly<Record<string, fc.Arbitrary<Record<string, unknown>>>> = {
  ...Object.fromEntries(TABLED.map(tabled)),
  memory: members(MEMORY_LAYOUT).map(agree),
  memory2: members(MEMORY2_LAYOUT).map(agree),
  processor: members(PROCESSOR_LAYOUT),
  pcie: members(PCIE_LAYOUT),
  firmware: members(FIRMWARE_LAYOUT),
  'x86-processor': fc
    .tuple(members(X86_LAYOUT, ['errorCount', 'contextCount']), lists(X86_ERROR_LAYOUT, X86_CONTEXT_LAYOUT, {}))
    .map(([a, b]) => ({ ...a, ...b })),
  'arm-processor': fc
    .tuple(
      members(ARM_LAYOUT, ['errorCount', 'contextCount', 'sectionLength', 'vendor']),
      lists(ARM_ERROR_LAYOUT, ARM_CONTEXT_LAYOUT, { length: 32 }),
      fc.option(data, { nil: undefined }),
    )
    .map(([a, b, vendorInfo]) => ({ ...a, ...b, ...(vendorInfo === undefined ? {} : { vendorInfo }) })),
};

/** A random valid body of a kind. */
export function bodyOf(kind: CperKind): fc.Arbitrary<CperBody> {
  return (BODIES[kind] ?? fc.constant({})).map(values => ({ kind, ...values }) as CperBody);
}

const raw = fc
  .record({ type: guid.filter(g => sectionType(g) === undefined), data: fc.uint8Array({ maxLength: 200 }) })
  .map(({ type, data: bytes }) => ({ type, body: { kind: 'raw', data: bytes } as CperBody }));

const typedBody = fc.oneof(...SECTIONS.map(s => bodyOf(s.kind).map(body => ({ type: s.type, body }))), raw);

/** A random section: of a block (with a time stamp), or of an error record. */
export function section(of: 'block' | 'record'): fc.Arbitrary<CperSection> {
  return fc
    .record({
      typed: typedBody,
      severity: fc.constantFrom(...CPER_SEVERITIES),
      flags: fc.integer({ min: 0, max: of === 'block' ? 0xff : 0xffffffff }),
      revision: of === 'block' ? fc.constantFrom(0x300, 0x201) : fc.integer({ min: 0, max: 0xffff }),
      more: fc.record({ fruId: guid, fruText: ascii(20), timestamp: u64 }, { requiredKeys: [] }),
    })
    .map(({ typed, more: { timestamp, ...more }, ...s }) => ({
      ...typed,
      ...s,
      ...more,
      ...(timestamp === undefined || of === 'record' || s.revision < 0x300 ? {} : { timestamp }),
    }));
}

/** A random error record. */
export const errorRecord: fc.Arbitrary<CperRecord> = fc
  .record({
    severity: fc.constantFrom(...CPER_SEVERITIES),
    sections: fc.array(section('record'), { maxLength: 4 }),
    header: fc.record(
      {
        revision: fc.constantFrom(0x100, 0x101),
        timestamp: u64,
        platformId: guid,
        partitionId: guid,
        creatorId: guid,
        notificationType: guid,
        recordId: u64,
        flags: fc.integer({ min: 0, max: 0xffffffff }),
        persistenceInfo: u64,
      },
      { requiredKeys: ['revision', 'creatorId', 'notificationType', 'recordId', 'flags', 'persistenceInfo'] },
    ),
  })
  .map(r => ({ kind: 'cper', ...r }) as CperRecord);

/** `good` with a few bytes changed and an end cut off or added: near enough to get deep into a decoder. */
export function near(good: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(
      good,
      fc.array(fc.tuple(fc.nat(1 << 16), fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255))), {
        maxLength: 10,
      }),
      fc.option(fc.nat(1 << 16), { nil: undefined }),
      fc.uint8Array({ maxLength: 40 }),
    )
    .map(([bytes, edits, cut, tail]) => {
      const b = new Uint8Array(bytes.length + tail.length);
      b.set(bytes);
      b.set(tail, bytes.length);
      for (const [at, value] of edits) if (b.length > 0) b[at % b.length] = value;
      return cut === undefined ? b : b.slice(0, cut % (b.length + 1));
    });
}

/** Cases of a fuzz test: few in the ordinary run, `FUZZ_RUNS` in a long one. */
export function fuzzRuns(usual: number): number {
  const asked = Number(process.env['FUZZ_RUNS']);
  return Number.isInteger(asked) && asked > 0 ? asked : usual;
}

/** What was read, without the validation bits of its structures: they follow from the members. */
export function unmarked<T>(value: T): T {
  if (Array.isArray(value)) return value.map(unmarked) as T;
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  const members = Object.entries(value).filter(([name]) => name !== VALIDATION_MEMBER);
  return Object.fromEntries(members.map(([name, member]) => [name, unmarked(member)])) as T;
}
