/** What is fuzzed, and what has to hold for every input. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import {
  ARM_SEA_LENGTH,
  armPageOf,
  classifyArm,
  decodeArmSea,
  describeEsr,
  encodeArmSea,
  explainArm,
  lintArm,
} from '../../src/arm/index.ts';
import { stringify } from '../../src/common/hex.ts';
import {
  SECTIONS,
  classifyCper,
  cperToJson,
  decodeCper,
  decodeSection,
  describeSection,
  encodeCperRegion,
  explainBody,
  explainCper,
  lintCper,
  pagesOfCper,
} from '../../src/cper/index.ts';
import { regionFromJson } from '../../src/cper/json.ts';
import { decode } from '../../src/decode/decoder.ts';
import { FORMS } from '../../src/decode/form.ts';
import { toData } from '../../src/decode/record.ts';
import { decodedSchema } from '../../src/decode/schema.ts';
import { toRaw, toText } from '../../src/decode/to-text.ts';
import {
  MCA_SEVERITIES,
  XEN_MCE_BYTES,
  classify,
  component,
  decodeXenMcelog,
  describeRecord,
  explain,
  lint,
  nextStep,
  pageOf,
  severity,
} from '../../src/mca/index.ts';
import type { X86McaRecord } from '../../src/mca/index.ts';
import {
  hmpOutputEvents,
  linuxConsoleParser,
  qemuStderrParser,
  qmpEvent,
  xenConsoleParser,
} from '../../src/text/index.ts';
import type { LineParser, LogEvent } from '../../src/text/index.ts';
import type { Chance } from '../chance.ts';
import { BODIES, RECORDS, anyArmRecord, anyInput, anyLine, anyMcaRecord, splicedRecords, spoiled } from './inputs.ts';

/** Cases that may share what a target keeps between them (a parser); a block starts anew. */
export const BLOCK = 1000;

/** One decoder or parser under test. */
export interface Target {
  name: string;
  /** Its share of all cases, in relation to the other targets'. */
  weight: number;
  /** Starts a block; the function it returns runs one case and says what is wrong with the outcome. */
  open(): (chance: Chance, n: number) => string[];
}

const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
const NONSENSE = /\bundefined\b|\bNaN\b|\[object /;
/** Full schema validation costs more than decoding: every so many cases. */
const VALIDATE_EVERY = 16;
/** Most characters of rendered text per record, and per byte of input. */
const TEXT_PER_RECORD = 32_768;
const TEXT_PER_BYTE = 512;

const validate = new Ajv2020({ strict: false }).compile(JSON.parse(decodedSchema()) as object);

function textFaults(what: string, lines: readonly string[]): string[] {
  return lines.flatMap(line => {
    if (CONTROL.test(line)) return [`${what}: control character in ${JSON.stringify(line)}`];
    return NONSENSE.test(line) ? [`${what}: nonsense in ${JSON.stringify(line)}`] : [];
  });
}

function frontDoor(form: (typeof FORMS)[number]): Target {
  return {
    name: `decode:${form}`,
    weight: form === 'auto' ? 3 : 1,
    open: () => (chance, n) => {
      const bytes = anyInput(chance);
      const options: Parameters<typeof decode>[1] = { from: form };
      if (chance.oneIn(4)) options.vendor = chance.pick(['intel', 'amd']);
      if (chance.oneIn(8)) options.cpuid = chance.u64();
      if (chance.oneIn(8)) options.esr = true;
      if (form === 'auto' && chance.oneIn(16)) options.section = chance.pick(SECTIONS).type;
      const { records, diagnostics } = decode(bytes, options);
      const wrong: string[] = [];
      if (records.length + diagnostics.length > bytes.length + 8) wrong.push('more records than bytes');
      let length = 0;
      for (const record of records) {
        const { firstLine = 1, lastLine = firstLine } = record.source;
        if (firstLine > lastLine) wrong.push(`lines ${firstLine} to ${lastLine}`);
        const outlook = n % VALIDATE_EVERY === 1;
        const text = [...toText(record, { table: true, outlook }), toRaw(record)];
        for (const line of text) length += line.length;
        // The input's own words may be anything but control characters.
        wrong.push(
          ...text.filter(line => CONTROL.test(line)).map(line => `control character in ${JSON.stringify(line)}`),
        );
        if (n % VALIDATE_EVERY === 0) {
          if (!validate(JSON.parse(stringify(toData(record, { outlook: chance.oneIn(4) }))))) {
            wrong.push(`schema: ${JSON.stringify(validate.errors)}`);
          }
        }
      }
      if (length > records.length * TEXT_PER_RECORD + bytes.length * TEXT_PER_BYTE) wrong.push(`${length} characters`);
      return wrong;
    },
  };
}

function eventFaults(events: readonly LogEvent[]): string[] {
  return events.flatMap(({ name, fields }) =>
    Object.entries(fields).flatMap(([key, v]) => {
      if (typeof v === 'string' && v.length > 512) return [`${name}.${key}: ${v.length} characters`];
      return typeof v === 'number' && !Number.isSafeInteger(v) ? [`${name}.${key}: ${v}`] : [];
    }),
  );
}

/** A parser that lives for a block of lines. */
function lines(name: string, make: () => LineParser): Target {
  return {
    name: `text:${name}`,
    weight: 8,
    open() {
      const parser = make();
      let [pushed, seen] = [0, 0];
      return (chance, n) => {
        const events = parser.push(anyLine(chance));
        pushed++;
        if (n % BLOCK === BLOCK - 1) {
          events.push(...parser.end());
          if (parser.end().length > 0) return ['events after the end'];
        }
        seen += events.length;
        const wrong = eventFaults(events);
        if (seen > pushed * 4 + 4) wrong.push(`${seen} events of ${pushed} lines`);
        return wrong;
      };
    },
  };
}

const QMP_EVENTS = ['MEMORY_FAILURE', 'GUEST_PANICKED', 'STOP', 'RESUME', 'SHUTDOWN', 'RESET', 'WATCHDOG', '__proto__'];

function anyJson(chance: Chance, depth: number): unknown {
  switch (chance.below(depth > 3 ? 5 : 7)) {
    case 0:
      return anyLine(chance);
    case 1:
      return chance.u32();
    case 2:
      return null;
    case 3:
      return chance.oneIn(2);
    case 4:
      return chance.pick(['hypervisor', 'guest', 'ignore', 'reset', 'poweroff', 'run']);
    case 5:
      return Array.from({ length: chance.below(4) }, () => anyJson(chance, depth + 1));
    default: {
      const keys = [
        'recipient',
        'action',
        'flags',
        'action-required',
        'recursive',
        'info',
        'type',
        'guest',
        'constructor',
      ];
      return Object.fromEntries(keys.filter(() => chance.oneIn(2)).map(key => [key, anyJson(chance, depth + 1)]));
    }
  }
}

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
    if (view.register !== undefined && sum !== view.value) wrong.push(`${view.name}: rows do not add up`);
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

const MCA: Target = { name: 'mca', weight: 10, open: () => chance => mcaFaults(anyMcaRecord(chance)) };

const XEN_MCELOG: Target = {
  name: 'mca:xen-mcelog',
  weight: 4,
  open: () => chance => {
    const bytes = chance.bytes(chance.below(3 * XEN_MCE_BYTES));
    const records = decodeXenMcelog(bytes);
    if (records.length * XEN_MCE_BYTES > bytes.length) return ['more records than bytes'];
    return records.flatMap(mcaFaults);
  },
};

const ARM: Target = {
  name: 'arm',
  weight: 14,
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
  weight: 14,
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
    weight: 3,
    open: () => (chance, n) =>
      cperFaults(chance.oneIn(8) ? chance.bytes(chance.below(400)) : spoiled(chance, chance.pick(RECORDS), RECORDS), n),
  },
  { name: 'cper:region', weight: 1, open: () => (chance, n) => cperFaults(splicedRecords(chance), n) },
  {
    name: 'cper:section',
    weight: 8,
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

/** All targets. */
export const TARGETS: readonly Target[] = [
  ...FORMS.map(frontDoor),
  lines('linux', linuxConsoleParser),
  lines('xen', xenConsoleParser),
  lines('qemu', qemuStderrParser),
  {
    name: 'text:hmp',
    weight: 4,
    open: () => chance =>
      eventFaults(hmpOutputEvents(`${anyLine(chance)}${chance.oneIn(2) ? '\r\n' : anyLine(chance)}`)),
  },
  {
    name: 'text:qmp',
    weight: 4,
    open: () => chance => {
      const event = chance.oneIn(4) ? anyLine(chance) : chance.pick(QMP_EVENTS);
      return eventFaults([qmpEvent({ event, data: anyJson(chance, 0) })]);
    },
  },
  MCA,
  XEN_MCELOG,
  ARM,
  ARM_EXIT,
  ...CPER,
];
