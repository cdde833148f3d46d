/**
 * What `decode` reads, as a page: made of the tables and readers themselves, and of what comes out of the golden inputs. Nothing in it
 * is a list by hand, so that what has no golden cannot look as if it had one.
 */
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SECTION_NAMES } from '@syndrome/decode/cper/guid.ts';
import { SECTIONS, sectionName, sectionType } from '@syndrome/decode/cper/sections.ts';
import { createDecoder } from '@syndrome/decode/decode/decoder.ts';
import type { DecoderOptions } from '@syndrome/decode/decode/decoder.ts';
import type { DecodedRecord } from '@syndrome/decode/decode/record.ts';
import { eventKinds, kindRow } from '@syndrome/decode/events/catalog.ts';
import { recordName } from '@syndrome/decode/events/records.ts';
import { MCA_CONFIG, MCA_IPID, MCA_SYND } from '@syndrome/decode/mca/amd-registers.ts';
import { legacyBank } from '@syndrome/decode/mca/amd-legacy.ts';
import { cpuOf } from '@syndrome/decode/mca/cpu.ts';
import type { CpuModel } from '@syndrome/decode/mca/cpu.ts';
import { INTEL_FAMILIES } from '@syndrome/decode/mca/intel-model.ts';
import { LINT_CODES } from '@syndrome/decode/mca/lint-codes.ts';
import { MCG_CAP } from '@syndrome/decode/mca/registers.ts';
import type { X86McaRecord } from '@syndrome/decode/mca/record.ts';
import { SMCA_BANKS, smcaBank } from '@syndrome/decode/mca/smca-banks.ts';
import { NOT_PUBLIC } from '@syndrome/decode/mca/smca-codes.ts';
import { cellsOf } from '@syndrome/decode/text/transport/cells.ts';
import { frameOf } from '@syndrome/decode/text/transport/frame.ts';
import { isLogLine, jsonLine } from '@syndrome/decode/text/transport/json-lines.ts';

import { JUDGED } from '../scripts/differential/judged.ts';
import { RAS_JUDGED_AMD, RAS_JUDGED_INTEL } from '../scripts/differential/rasdaemon/judged.ts';

const ROOT = join(import.meta.dirname, '..');
const SRC = join(ROOT, 'packages/decode/src');
const NONE = '**none**';

/** One golden input, and what is made of it. */
interface Golden {
  name: string;
  text: string;
  evidence: string;
  records: DecodedRecord[];
  forms: ReadonlySet<string>;
}

const OPTIONS: Readonly<Record<string, Partial<DecoderOptions>>> = {
  esr: { esr: true },
  'xen-mcelog': { from: 'xen-mcelog' },
};

function read(file: string): Golden {
  const name = basename(file).replace(/\.(?:in|log)$/, '');
  const bytes = readFileSync(join(SRC, file));
  const records: DecodedRecord[] = [];
  const forms = new Set<string>();
  let evidence = '';
  const decoder = createDecoder({
    ...OPTIONS[name],
    onRecord: record => {
      records.push(record);
      forms.add(record.source.from);
    },
    onDiagnostic: (_, source) => forms.add(source.from),
    onDetected: detection => (evidence = detection.evidence),
  });
  decoder.push(bytes);
  decoder.end();
  return { name, text: bytes.toString('utf8'), evidence, records, forms };
}

const GOLDENS: readonly Golden[] = globSync(
  ['decode/golden/*.in', 'triage/golden/*.in', 'text/golden/**/*.log', 'outlook/golden/*.log'],
  { cwd: SRC },
)
  .map(file => file.replaceAll('\\', '/'))
  .toSorted()
  .map(read);

/** Names of the goldens that hold something; the first few, and how many more. */
function goldens(holds: (golden: Golden) => boolean): string {
  const names = GOLDENS.filter(holds).map(g => g.name);
  const shown = names.slice(0, 3).join(', ');
  return names.length === 0 ? NONE : names.length <= 3 ? shown : `${shown} and ${names.length - 3} more`;
}

const hasRecord = (is: (record: DecodedRecord) => boolean): ((golden: Golden) => boolean) => {
  return ({ records }) => records.some(is);
};
const hasBank = (is: (record: X86McaRecord) => boolean): ((golden: Golden) => boolean) =>
  hasRecord(({ raw }) => raw.kind === 'x86-mca' && is(raw));

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').trim();
function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(heads), `|${'---|'.repeat(heads.length)}`, ...rows.map(line)].join('\n');
}

/** The comment at the head of a source: what it reads, and by which document or program. */
function headOf(file: string): string {
  const comment = /^\/\*\*([^]*?)\*\//.exec(readFileSync(join(SRC, file), 'utf8'))?.[1] ?? '';
  return comment
    .replaceAll(/^\s*\* ?/gm, '')
    .replace('@module', '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** What is behind `Source:`, `Sources:`, `Facts:` or `Format:`; the whole where it says so in other words. */
const sourceOf = (file: string): string => /(?:Sources?|Facts|Format): ([^]*)$/.exec(headOf(file))?.[1] ?? headOf(file);

/** The words of a union of literals in a source. */
function wordsOf(file: string, pattern: RegExp): string[] {
  const body = pattern.exec(readFileSync(join(SRC, file), 'utf8'))?.[1] ?? '';
  return [...body.matchAll(/'([^']+)'/g)].map(m => m[1] ?? '');
}

const READERS: readonly string[] = globSync(['text/**/*.ts', 'decode/*.ts'], { cwd: SRC })
  .map(file => file.replaceAll('\\', '/'))
  .filter(file => !file.endsWith('.test.ts'))
  .toSorted();

function forms(): string {
  const names = [
    ...wordsOf('text/item.ts', /export type TextForm =([^;]*);/),
    ...wordsOf('decode/record.ts', /export type InputForm = TextForm([^;]*);/),
  ];
  const made = new Map(names.map(name => [name, [] as string[]]));
  for (const file of READERS) {
    const text = readFileSync(join(SRC, file), 'utf8');
    for (const name of names) {
      const literal = new RegExp(`(?:form: |eventItem\\(|from: |from = [^;\\n]*)'${name}'`);
      if (literal.test(text)) made.get(name)?.push(file);
    }
  }
  return table(
    ['form', 'read by', 'golden'],
    names.map(name => [
      `\`${name}\``,
      (made.get(name) ?? []).map(file => `\`${file}\``).join(', ') || 'by the reader of what carries it',
      goldens(g => g.forms.has(name)),
    ]),
  );
}

function readers(): string {
  const isReader = (file: string): boolean => /^text\/\w+\/[\w-]*(?:reader|lines|events|log)\.ts$/.test(file);
  const files = READERS.filter(file => isReader(file) && !/\/(?:testing|transport)\/|stamp-reader/.test(file));
  return table(
    ['reader', 'what it reads, by which source'],
    files.map(file => [`\`${file}\``, headOf(file)]),
  );
}

/** The expressions of a source for what begins a line, each with its comment. */
function prefixesIn(file: string): { what: string; prefix: RegExp }[] {
  const text = readFileSync(join(SRC, file), 'utf8');
  const shape = /\/\*\*((?:(?!\*\/)[^])*)\*\/\nconst [A-Z_0-9]+ =\s+\/(\^.+)\/;\n/g;
  return [...text.matchAll(shape)].map(([, comment = '', pattern = '']) => ({
    what: comment.replaceAll(/^\s*\* ?/gm, ''),
    prefix: new RegExp(pattern),
  }));
}

function carriers(): string {
  const prefixes = prefixesIn('text/transport/line.ts').map(({ what, prefix }) => [
    what,
    'in front of a line',
    goldens(g => g.text.split('\n').some(line => prefix.test(line))),
  ]);
  const kinds = [...new Set(wordsOf('text/transport/json-lines.ts', /type JsonLine =([^]*?);\n\n/))];
  const objects = kinds.map(kind => [
    `${kind}`,
    'an object of JSON in a line',
    goldens(g => g.text.split('\n').some(line => line.startsWith('{') && jsonLine(line)?.kind === kind)),
  ]);
  const lines = (is: (line: string) => boolean): string => goldens(g => g.text.split('\n').some(is));
  const files: readonly (readonly [file: string, goldens: string])[] = [
    ['carried', goldens(g => g.forms.has('cper-text'))],
    ['frame', goldens(g => frameOf(g.text) !== undefined)],
    ['cells', lines(line => !line.startsWith('{') && cellsOf(line).some(isLogLine))],
    ['journal-export', lines(line => line.startsWith('__CURSOR='))],
  ];
  const whole = files.map(([file, held]) => {
    const path = `text/transport/${file}.ts`;
    return [`\`${path}\``, headOf(path), held];
  });
  return table(['carrier', 'where', 'golden'], [...prefixes, ...objects, ...whole]);
}

function recognised(): string {
  const said = [...new Set(GOLDENS.map(g => g.evidence))].toSorted();
  return table(
    ['an input is read so because', 'golden'],
    said.map(evidence => [evidence, goldens(g => g.evidence === evidence)]),
  );
}

/** `4, 9–12`. */
function ranges(numbers: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < numbers.length; i++) {
    const from = numbers[i] as number;
    while (numbers[i + 1] === (numbers[i] as number) + 1) i++;
    parts.push(from === numbers[i] ? `${from}` : `${from}–${numbers[i]}`);
  }
  return parts.join(', ');
}

function intel(): string {
  const rows = INTEL_FAMILIES.flatMap(family => {
    const units = new Map<string, number[]>();
    for (const [bank, { name }] of Object.entries(family.banks)) {
      units.set(name, [...(units.get(name) ?? []), Number(bank)]);
    }
    const isOf = (cpu: CpuModel | undefined): boolean => cpu?.family === 6 && family.models.includes(cpu.model);
    return [...units].map(([name, banks]) => [
      family.name,
      family.models.map(model => `06_${model.toString(16).toUpperCase()}H`).join(', '),
      name,
      ranges(banks),
      family.source,
      goldens(hasBank(r => isOf(cpuOf(r)) && banks.includes(r.bank))),
    ]);
  });
  return table(['family', 'CPUs', 'unit', 'banks', 'source', 'record in a golden'], rows);
}

function smca(): string {
  const source = sourceOf('mca/smca-banks.ts');
  const rows = SMCA_BANKS.map(({ id, name, hwid, mcaType, codes }) => [
    id,
    name,
    `0x${hwid.toString(16)}, 0x${mcaType.toString(16)}`,
    codes === NOT_PUBLIC ? 'not public' : `${Object.keys(codes).length} codes`,
    goldens(hasBank(r => r.ipid !== undefined && smcaBank(r.ipid)?.id === id && MCA_IPID.read(r.ipid).HWID !== 0n)),
  ]);
  return `Source: ${source}\n\n${table(['bank type', 'unit', 'hardware id, type', 'words', 'record in a golden'], rows)}`;
}

function legacy(): string {
  const rows: string[][] = [];
  for (let family = 0x0f; family <= 0x16; family++) {
    for (let bank = 0; bank < 8; bank++) {
      const unit = legacyBank(bank, { family, model: 0, stepping: 0 });
      if (unit === undefined) continue;
      const holds = hasBank(r => r.vendor === 'amd' && r.bank === bank && cpuOf(r)?.family === family);
      rows.push([
        `${family.toString(16).toUpperCase().padStart(2, '0')}h`,
        `${bank}`,
        `${unit.id}, ${unit.name}`,
        goldens(holds),
      ]);
    }
  }
  return `Source: ${sourceOf('mca/amd-legacy.ts')}\n\n${table(['family', 'bank', 'unit', 'record in a golden'], rows)}`;
}

function sections(): string {
  const types = [...new Set([...SECTIONS.map(s => s.type), ...Object.keys(SECTION_NAMES)])];
  const rows = types.map(guid => {
    const source = sectionType(guid)?.source;
    const holds = hasRecord(({ raw }) => raw.kind === 'cper' && raw.sections.some(s => s.type === guid));
    const how = source === undefined ? 'kept whole under its name' : `taken apart, ${source}`;
    return [sectionName(guid), `\`${guid}\``, how, goldens(holds)];
  });
  return table(['section', 'type', 'how', 'golden'], rows);
}

function events(): string {
  const rows = eventKinds.flatMap(kind => {
    const { record, severity = 'info' } = kindRow(kind);
    if (record === undefined) return [];
    const name = recordName(kind);
    const holds = hasRecord(r => (r.kind === 'event' || r.kind === 'memory-failure') && r.class === name);
    return [[`\`${name}\``, record.headline, record.reporter, severity, goldens(holds)]];
  });
  const others = eventKinds.length - rows.length;
  const sources = ['linux', 'tools', 'systems', 'bmc', 'qemu', 'xen', 'reference-vmm', 'agent'];
  return [
    'Sources, by the table that an event stands in:',
    '',
    ...sources.map(name => `- \`events/${name}.ts\`: ${headOf(`events/${name}.ts`)}`),
    '',
    table(['event', 'what', 'reporter', 'severity', 'golden'], rows),
    '',
    `${others} more events of the catalogue are no records of their own: they stand in traces ([trace.md](trace.md)).`,
  ].join('\n');
}

/** What the tables do not have because no public document has it: units, bank types, bits, and what is only reported. */
function notPublic(): string {
  const units = new Map<string, string[]>();
  for (const { name: family, banks } of INTEL_FAMILIES) {
    for (const { name, mscod } of Object.values(banks)) {
      if (mscod.length === 0 && units.get(name)?.at(-1) !== family)
        units.set(name, [...(units.get(name) ?? []), family]);
    }
  }
  const bits = [MCG_CAP, MCA_SYND, MCA_CONFIG].flatMap(({ name, fields }) =>
    fields
      .filter(f => f.name.startsWith('UNDOCUMENTED'))
      .map(f => [`${name}, bit${f.hi === f.lo ? ` ${f.hi}` : `s ${f.hi}:${f.lo}`}`, f.meaning ?? '']),
  );
  const reported = Object.entries(LINT_CODES).filter(([, { explanation }]) => /no public document/.test(explanation));
  return table(
    ['what', 'what is missing'],
    [
      ...[...units].map(([name, families]) => [
        `${name} of ${families.join('; ')}`,
        'the model-specific code (MCi_STATUS[31:16])',
      ]),
      [
        'Intel CPUs that are not among the families above',
        'the model-specific codes, and which unit a bank is; they stay raw',
      ],
      ...SMCA_BANKS.filter(b => b.codes === NOT_PUBLIC).map(b => [`${b.name} (${b.id})`, 'the extended error codes']),
      ...bits.map(([what = '', text = '']) => [what, text]),
      ...reported.map(([code, { title, explanation }]) => [
        `${title} (${code})`,
        explanation.split(/(?<=\.) /).find(sentence => sentence.includes('no public document')) ?? '',
      ]),
    ],
  );
}

/** What `scripts/differential.ts` finds, with who is right. */
function differences(): string {
  const rows = JUDGED.map(({ fact, right, why }) => [fact, right, why]);
  return [
    '`node scripts/differential.ts` decodes made records with ours and with `mcelog` (`MCELOG=` or on PATH), and fails where they disagree in',
    'another thing than these:',
    '',
    table(['of', 'right', 'why'], rows),
  ].join('\n');
}

/** What `scripts/rasdaemon.ts` finds, with who is right. */
function rasdaemonDifferences(): string {
  const rows = (vendor: string, judged: typeof JUDGED): string[][] =>
    judged.map(({ fact, right, why }) => [vendor, fact, right, why]);
  return [
    "`node scripts/rasdaemon.ts` gives machine checks to guests of the lab in which Debian's rasdaemon runs. What it prints and what it stores",
    'has to be decoded to the registers that were injected; where its words are others than ours, they have to be of these:',
    '',
    table(['vendor', 'of', 'right', 'why'], [...rows('Intel', RAS_JUDGED_INTEL), ...rows('AMD', RAS_JUDGED_AMD)]),
  ].join('\n');
}

/** The page. */
export function decodeCoverage(): string {
  const page = (name: string, body: string): string => `## ${name}\n\n${body}\n`;
  const parts = [
    '# What `decode` reads, by which source, held by which golden\n',
    'Made of the tables and readers by `test/decode-coverage.ts` (`UPDATE_GOLDEN=1 npm run test:fast -- test/decode-coverage.test.ts`), and held',
    'current by a test. A golden is an input of `packages/decode/src/*/golden`, most of them what people published; that a code stands in a',
    `table is held beside it by \`mca/golden\` and \`arm/golden\`, so that ${NONE} says: of this no whole record has been put into a test. Names that`,
    'are no GUID and no hexadecimal number are those of the sources.\n',
    page(
      'Forms',
      `${forms()}\n\nA form without a golden of its own is that of single values, or of lines that only traces hold.`,
    ),
    page('Readers of text', readers()),
    page('Carriers', carriers()),
    page('How an input is recognised', recognised()),
    page('Intel families', intel()),
    page('AMD bank types (scalable MCA)', smca()),
    page('AMD families 0Fh to 16h', legacy()),
    page(
      'Arm',
      `ESR_ELx, HPFAR_EL2 and PFAR: ${sourceOf('arm/esr.ts')} Exception classes: ${sourceOf('arm/exception-class.ts')} Fault status: ${sourceOf('arm/fault-status.ts')} Records in goldens: ${goldens(hasRecord(r => r.raw.kind === 'arm-sea'))}.`,
    ),
    page(`Sections of firmware records (CPER), ${SECTIONS.length} of them taken apart`, sections()),
    page('Events', events()),
    page('What no public document gives', notPublic()),
    page('Where mcelog says something else', differences()),
    page('Where rasdaemon says something else', rasdaemonDifferences()),
  ];
  return `${parts.join('\n').trimEnd()}\n`;
}
