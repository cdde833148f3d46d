/** Fuzz targets of the rooms `mca`, `arm` and `cper`: error records, in values and in bytes. */
import { ARM_SEA_LENGTH } from '@syndrome/decode/arm/kvm-numbers.ts';
import { decodeArmSea, encodeArmSea } from '@syndrome/decode/arm/kvm.ts';
import { armPageOf, classifyArm } from '@syndrome/decode/arm/classify.ts';
import { describeEsr } from '@syndrome/decode/arm/esr.ts';
import { explainArm } from '@syndrome/decode/arm/explain.ts';
import { lintArm } from '@syndrome/decode/arm/lint.ts';
import { stringify } from '@syndrome/decode/common/hex.ts';
import { classifyCper } from '@syndrome/decode/cper/classify.ts';
import { cperToJson, regionFromJson } from '@syndrome/decode/cper/json.ts';
import { decodeCper, encodeCperRegion } from '@syndrome/decode/cper/region.ts';
import { decodeSection } from '@syndrome/decode/cper/sections.ts';
import { describeSection } from '@syndrome/decode/cper/describe.ts';
import { explainBody, explainCper } from '@syndrome/decode/cper/explain.ts';
import { lintCper } from '@syndrome/decode/cper/lint.ts';
import { pagesOfCper } from '@syndrome/decode/cper/page.ts';
import { MCA_SEVERITIES, severity } from '@syndrome/decode/mca/severity.ts';
import { XEN_MCE_BYTES, decodeXenMcelog } from '@syndrome/decode/mca/xen-mcelog.ts';
import { classify } from '@syndrome/decode/mca/classify.ts';
import { describeRecord, explain, lint, nextStep, pageOf } from '@syndrome/decode/mca/of-record.ts';
import { component } from '@syndrome/decode/mca/testing/rules.ts';
import type { X86McaRecord } from '@syndrome/decode/mca/record.ts';
import { decode } from '@syndrome/decode/decode/decoder.ts';
import { SEL_BYTES, looksLikeSel } from '@syndrome/decode/text/bmc/raw-record.ts';
import { BODIES, RECORDS, anyArmRecord, anyMcaRecord, splicedRecords, spoiled } from './inputs.ts';
import { TEXT_PER_RECORD, VALIDATE_EVERY, textFaults } from './oracles.ts';
import type { Target } from './target.ts';

function mcaFaults(record: X86McaRecord): string[] {
  const wrong: string[] = [];
  if (!MCA_SEVERITIES.includes(severity(record))) wrong.push('severity');
  const found = lint(record);
  const { name, detail = '' } = component(record);
  const text = [explain(record), classify(record), name, detail, ...nextStep(record), ...found.map(f => f.message)];
  wrong.push(...textFaults('mca', text));
  if (found.length > 64 || text.join('').length > TEXT_PER_RECORD) wrong.push('too much text');
  for (const { hi, lo } of found.flatMap(f => f.bits ?? []))
    if (hi > 63 || lo > hi || lo < 0) wrong.push(`${hi}:${lo}`);
  for (const view of describeRecord(record)) {
    const sum = view.rows.reduce((all, row) => all | (row.value << BigInt(row.lo)), 0n);
    if (view.source !== undefined && sum !== view.value) wrong.push(`${view.name}: rows do not add up`);
    wrong.push(
      ...textFaults(
        view.name,
        view.rows.map(r => `${r.name} ${r.meaning ?? ''}`),
      ),
    );
  }
  const page = pageOf(record);
  if (page !== undefined && page.pfn !== page.address >> 12n) wrong.push('page');
  return wrong;
}

const MCA: Target = {
  name: 'mca',
  holds: 'any machine check record: our own words, rows that add up to the register, pages that follow',
  weight: 20,
  open: () => chance => mcaFaults(anyMcaRecord(chance)),
};

const XEN_MCELOG: Target = {
  name: 'mca:xen-mcelog',
  holds: 'bytes of /dev/mcelog of a Xen dom0: no more records than bytes, each as of any other source',
  weight: 4,
  open: () => chance => {
    const bytes = chance.bytes(chance.below(3 * XEN_MCE_BYTES));
    const records = decodeXenMcelog(bytes);
    if (records.length * XEN_MCE_BYTES > bytes.length) return ['more records than bytes'];
    return records.flatMap(mcaFaults);
  },
};

/** Bytes of a record that make it one of an event log: type, revision, sensor type, event type. */
const SEL_AT: readonly (readonly [at: number, values: readonly number[]])[] = [
  [2, [0x02, 0x02, 0xdf]],
  [9, [0x04]],
  [10, [0x0c, 0x07, 0x0f, 0x13]],
  [12, [0x6f, 0xef]],
];

const SEL: Target = {
  name: 'text:sel-event',
  holds: 'records of a system event log, whole, spoiled or cut: at most one event each, in the bytes of its record',
  weight: 4,
  open: () => chance => {
    const count = 1 + chance.below(5);
    const bytes = chance.bytes(count * SEL_BYTES);
    for (let i = 0; i < count; i++) {
      for (const [at, values] of SEL_AT) if (!chance.oneIn(12)) bytes[i * SEL_BYTES + at] = chance.pick(values);
    }
    const cut = bytes.subarray(0, chance.oneIn(3) ? chance.below(bytes.length + 1) : bytes.length);
    const asked = chance.oneIn(2) ? ({ from: 'ipmi-sel' } as const) : {};
    const { records, detection } = decode(cut, asked);
    const wrong = records.flatMap(({ source: { firstByte = -1, endByte = -1 } }) =>
      detection?.form === 'ipmi-sel' && (endByte - firstByte !== SEL_BYTES || endByte > cut.length)
        ? [`an event in bytes ${firstByte} to ${endByte} of ${cut.length}`]
        : [],
    );
    if (records.length > count) wrong.push(`${records.length} events of ${count} records`);
    if (detection?.form === 'ipmi-sel' && asked.from === undefined && !looksLikeSel(cut, false))
      wrong.push('read as what it does not look like');
    return wrong;
  },
};

const ARM: Target = {
  name: 'arm',
  holds: 'any abort or SError: our own words, rows that add up to the syndrome',
  weight: 20,
  open: () => chance => {
    const record = anyArmRecord(chance);
    const found = lintArm(record);
    const rows = describeEsr(record.esr);
    const wrong = textFaults('arm', [
      explainArm(record),
      ...Object.values(classifyArm(record)).map(v => (v === undefined ? '' : String(v))),
      ...found.map(f => f.message),
      ...rows.map(r => `${r.name} ${r.meaning ?? ''}`),
    ]);
    if (rows.reduce((all, r) => all | (r.value << BigInt(r.lo)), 0n) !== record.esr) wrong.push('rows do not add up');
    for (const b of found.flatMap(f => f.bits ?? [])) if (b.hi > 63 || b.lo > b.hi) wrong.push(`${b.hi}:${b.lo}`);
    const page = armPageOf(record);
    if (page !== undefined && page.pfn < 0n) wrong.push('page');
    return wrong;
  },
};

const ARM_EXIT: Target = {
  name: 'arm:kvm-exit',
  holds: 'bytes of KVM_EXIT_ARM_SEA: encoded again they give the same record',
  weight: 40,
  open: () => chance => {
    const bytes = chance.bytes(chance.oneIn(4) ? chance.below(64) : ARM_SEA_LENGTH);
    const record = decodeArmSea(bytes);
    if ((record === undefined) !== bytes.length < ARM_SEA_LENGTH) return [`${bytes.length} bytes`];
    if (record === undefined) return [];
    const again = decodeArmSea(encodeArmSea(record));
    return stringify(again) === stringify(record) ? [] : ['does not survive encoding'];
  },
};

function cperFaults(bytes: Uint8Array, n: number): string[] {
  const { value, diagnostics } = decodeCper(bytes);
  const wrong = textFaults(
    'diagnostic',
    diagnostics.map(d => d.message),
  );
  let sections = 0;
  for (const { record } of value.records) {
    sections += record.sections.length;
    wrong.push(...textFaults('cper', [explainCper(record), ...lintCper(record).map(f => f.message)]));
    if (!/^[a-z-]+$/.test(classifyCper(record).class)) wrong.push(`class ${classifyCper(record).class}`);
    for (const { pfn } of pagesOfCper(record)) if (pfn < 0n) wrong.push('page');
    for (const { body } of record.sections) if (describeSection(body).length > bytes.length + 512) wrong.push('rows');
  }
  if (value.records.length * 20 > bytes.length || sections * 64 > bytes.length) wrong.push('more records than bytes');
  if (n % VALIDATE_EVERY === 0) {
    const again = regionFromJson(JSON.parse(JSON.stringify(cperToJson(value))));
    if (Buffer.compare(encodeCperRegion(value), encodeCperRegion(again)) !== 0) wrong.push('JSON changes the bytes');
    if (Buffer.compare(encodeCperRegion(value), bytes) !== 0) wrong.push('encoding changes the bytes');
  }
  return wrong;
}

const CPER: readonly Target[] = [
  {
    name: 'cper:record',
    holds: 'damaged error records: encoded again, also by way of JSON, they give the same bytes',
    weight: 8,
    open: () => (chance, n) =>
      cperFaults(chance.oneIn(8) ? chance.bytes(chance.below(400)) : spoiled(chance, chance.pick(RECORDS), RECORDS), n),
  },
  {
    name: 'cper:region',
    holds: 'records and gaps behind each other: the same',
    weight: 3,
    open: () => (chance, n) => cperFaults(splicedRecords(chance), n),
  },
  {
    name: 'cper:section',
    holds: 'damaged section bodies: our own words, no more rows than bytes can give',
    weight: 12,
    open: () => chance => {
      const { type, bytes: good } = chance.pick(BODIES);
      const bytes = chance.oneIn(8) ? chance.bytes(chance.below(300)) : spoiled(chance, good, [good]);
      const { value, diagnostics } = decodeSection(type, bytes);
      const wrong = textFaults('section', [...explainBody(value, type), ...diagnostics.map(d => d.message)]);
      const rows = describeSection(value);
      if (rows.length > bytes.length * 8 + 64) wrong.push(`${rows.length} rows`);
      return wrong;
    },
  },
];

export const RECORD_TARGETS: readonly Target[] = [MCA, XEN_MCELOG, SEL, ARM, ARM_EXIT, ...CPER];
