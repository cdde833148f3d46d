/** Fuzz targets of the room `cli`: words of a command line, and records as JSON. */
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { CperError } from '@syndrome/decode/cper/error.ts';
import { bodyFromJson, cperFromJson, cperToJson, regionFromJson } from '@syndrome/decode/cper/json.ts';
import { decodeCper, encodeCper, encodeCperRegion } from '@syndrome/decode/cper/region.ts';
import { encodeSection, SECTIONS } from '@syndrome/decode/cper/sections.ts';
import { qmpAddress } from '@syndrome/cli/qmp-address.ts';
import { InputError } from '@syndrome/cli/inputs/input-error.ts';
import { eachRecord } from '@syndrome/cli/record-inputs.ts';
import { FORMS } from '@syndrome/decode/decode/form.ts';
import { recordOfJson } from '@syndrome/decode/text/syndrome/json-records.ts';
import type { Chance } from '../chance.ts';
import { LINES, RECORDS } from './inputs.ts';
import { anyJson, anyText, spoiledJson, spoiledText, wire } from './junk.ts';
import { attempt, attemptLater, controlFaults, differences, standIn } from './oracles.ts';
import type { Target } from './target.ts';

const VALUES = [
  '0xbd80000000000134',
  'status=0xbd80000000000134',
  'bank=1',
  'addr=0x1000',
  'cpuid=0x50654',
  'esr=0x96000010',
];

/** A word that names no file: without these characters it has none. */
const word = (chance: Chance): string => {
  const text = chance.oneIn(3)
    ? spoiledText(chance, chance.pick(LINES)).slice(0, 200)
    : spoiledText(chance, chance.pick(VALUES));
  return `v${text.replace(/[/.]/g, '')}`.slice(chance.below(2));
};

const VALUES_TARGET: Target = {
  name: 'cli:values',
  holds: 'values and options of decode: records, or one error of the room; what goes to stderr is safe for a screen',
  weight: 2,
  open: () => async chance => {
    const words = Array.from({ length: 1 + chance.below(4) }, () => word(chance)).filter(w => w !== '' && w !== '-');
    if (words.length === 0) return [];
    const options = {
      ...(chance.oneIn(3) ? { from: chance.oneIn(4) ? anyText(chance) : chance.pick(FORMS) } : {}),
      ...(chance.oneIn(4) ? { vendor: chance.oneIn(3) ? anyText(chance) : chance.pick(['intel', 'amd']) } : {}),
      ...(chance.oneIn(4) ? { cpuid: chance.oneIn(2) ? anyText(chance) : chance.u32().toString(16) } : {}),
      ...(chance.oneIn(8) ? { section: chance.oneIn(2) ? anyText(chance) : chance.pick(SECTIONS).type } : {}),
    };
    const said: string[] = [];
    let records = 0;
    const restore = standIn(process.stderr, 'write', (text: string | Uint8Array) => said.push(String(text)));
    try {
      const { wrong } = await attemptLater(
        () => eachRecord(words, options, () => ++records > 0),
        [UsageError, InputError],
      );
      const length = words.join(' ').length;
      if (records > length + 8) wrong.push(`${records} records of ${length} characters`);
      wrong.push(
        ...controlFaults(
          'stderr',
          said.map(s => s.replace(/\n$/, '')),
        ),
      );
      return wrong;
    } finally {
      restore();
    }
  },
};

const ADDRESS: Target = {
  name: 'cli:qmp-address',
  holds: '--qmp: a path, or a host with a port that exists, or a usage error',
  weight: 40,
  open: () => chance => {
    const text = spoiledText(
      chance,
      chance.pick(['/run/q.sock', 'unix:/run/q.sock,server', 'localhost:4444', 'tcp:[::1]:1', ':5']),
    );
    const { value, wrong } = attempt(() => qmpAddress(text), [UsageError]);
    if (value === undefined) return wrong;
    if ('port' in value) {
      if (!(value.port >= 1 && value.port <= 65_535) || value.host === '') wrong.push(`${value.host}:${value.port}`);
    } else if (value.path === '' || !text.includes(value.path)) wrong.push(`path ${value.path}`);
    return wrong;
  },
};

const REGIONS = RECORDS.slice(0, 60).map(bytes => decodeCper(bytes).value);
const RECORDS_JSON: readonly unknown[] = REGIONS.map(region => JSON.parse(wire(cperToJson(region))) as unknown);
const KEYS = [
  'kind',
  'sections',
  'body',
  'header',
  'severity',
  'errors',
  'contexts',
  'data',
  'records',
  'gaps',
  'type',
  'offset',
];

/** The record in a region, a body in a record, or the region. */
function inner(value: unknown, chance: Chance): unknown {
  const [first] = (value as { records?: { record?: { sections?: { body?: unknown }[] } }[] }).records ?? [];
  const record = first?.record;
  switch (chance.below(3)) {
    case 0:
      return value;
    case 1:
      return record ?? value;
    default:
      return record?.sections?.[0]?.body ?? record ?? value;
  }
}

const JSON_RECORDS: Target = {
  name: 'cli:json-records',
  holds: 'records as JSON: bytes that decode again, or an error of the room, whatever is in them',
  weight: 2,
  open: () => chance => {
    const good = inner(chance.pick(RECORDS_JSON), chance);
    const value = chance.oneIn(8) ? anyJson(chance, KEYS) : spoiledJson(chance, good, KEYS);
    const wrong: string[] = [];
    const encoders = [
      () => encodeCperRegion(regionFromJson(value)),
      () => encodeCper(cperFromJson(value)),
      () => encodeSection(bodyFromJson(value)),
    ];
    for (const encode of encoders) {
      const { value: bytes, wrong: thrown } = attempt(encode, [CperError]);
      wrong.push(...thrown);
      if (bytes !== undefined && encode === encoders[0]) decodeCper(bytes);
    }
    if (typeof value === 'object' && value !== null) {
      const { record } = recordOfJson(value as Record<string, unknown>, true);
      if (record !== undefined) {
        wrong.push(
          ...differences(
            'once more',
            recordOfJson(
              JSON.parse(wire(record.kind === 'cper' ? cperToJson(record) : record)) as Record<string, unknown>,
            ).record,
            record,
          ),
        );
      }
    }
    return wrong;
  },
};

export const CLI: readonly Target[] = [VALUES_TARGET, ADDRESS, JSON_RECORDS];
