/** Fuzz targets of what support bundles are made of: archives, rows and images of databases, dmidecode, names that are left out. */
import { Redactor } from '@syndrome/decode/bundle/redact.ts';
import { DmidecodeText } from '@syndrome/decode/bundle/smbios.ts';
import { createDecoder } from '@syndrome/decode/decode/decoder.ts';
import type { DecodedRecord } from '@syndrome/decode/decode/record.ts';
import { toData } from '@syndrome/decode/decode/record.ts';
import { toText } from '@syndrome/decode/decode/to-text.ts';
import { rasTables } from '@syndrome/decode/text/tools/ras-rows.ts';
import type { RowValue } from '@syndrome/decode/text/tools/ras-rows.ts';
import { rolledBack, standAlone, withWal } from '@syndrome/cli/inputs/sqlite-image.ts';
import { TarReader } from '@syndrome/cli/inputs/tar.ts';
import { RAS_TABLES } from '@syndrome/cli/testing/ras-database.ts';
import { DMIDECODE, SOSREPORT } from '@syndrome/cli/testing/support-bundle.ts';
import { makeTar } from '@syndrome/cli/testing/tar.ts';
import type { Chance } from '../chance.ts';
import { LINES } from './inputs.ts';
import { anyText, chunks, spoiledText, wire } from './junk.ts';
import { attempt, differences, textFaults } from './oracles.ts';
import type { Target } from './target.ts';

const FILES = Object.entries(SOSREPORT).map(([path, content]) => ({ path, content }));

/** A few bytes are others, or it is cut. */
function spoiled(chance: Chance, bytes: Uint8Array): Uint8Array {
  const out = bytes.slice(0, chance.oneIn(3) ? chance.below(bytes.length + 1) : bytes.length);
  for (let n = chance.below(6); n > 0 && out.length > 0; n--) {
    const header = chance.oneIn(2)
      ? 512 * chance.below(Math.ceil(out.length / 512)) + chance.below(345)
      : chance.below(out.length);
    out[Math.min(header, out.length - 1)] = chance.oneIn(2) ? chance.below(256) : 0x30 + chance.below(8);
  }
  return out;
}

async function filesOf(
  pieces: readonly Uint8Array[],
): Promise<{ files: [string, number, boolean][]; broken: string | undefined }> {
  const files: [string, number, boolean][] = [];
  const tar = new TarReader(({ path, type }) => {
    if (type !== 'file') return undefined;
    let length = 0;
    return {
      data: bytes => {
        length += bytes.length;
        return undefined;
      },
      end: whole => {
        files.push([path, length, whole]);
        return undefined;
      },
    };
  });
  for (const piece of pieces) await tar.push(piece);
  await tar.end();
  return { files, broken: tar.broken };
}

const TAR: Target = {
  name: 'bundle:tar',
  holds: 'a tar with anything in it, in any pieces: the same files, none longer than what was given, no error thrown',
  weight: 4,
  open: () => async chance => {
    const bytes = spoiled(chance, makeTar(chance.shuffled(FILES).slice(0, 1 + chance.below(6))));
    const whole = await filesOf([bytes]);
    const wrong = differences('in pieces', whole, await filesOf(chunks(chance, bytes)));
    const total = whole.files.reduce((sum, [, length]) => sum + length, 0);
    if (total > bytes.length) wrong.push(`${total} bytes in files of ${bytes.length}`);
    return wrong;
  },
};

function anyValue(chance: Chance): RowValue {
  switch (chance.below(8)) {
    case 0:
      return null;
    case 1:
      return chance.bytes(chance.below(90));
    case 2:
      // What is looked for in the output may not come from here.
      return anyText(chance).replaceAll(/NaN|undefined|\[object/g, 'x');
    case 3:
      return chance.pick([
        'Corrected',
        'Uncorrected',
        'Fatal',
        'Uncorrected (Non-Fatal)',
        '0x123456',
        'Recovered',
        '2026-02-03 04:05:06 +0100',
        'mem0',
      ]);
    case 4:
      return chance.below(300) - 100;
    default:
      return BigInt.asIntN(64, chance.u64());
  }
}

const columns = (table: string): string[] => [
  'id',
  ...(RAS_TABLES as Readonly<Record<string, string>>)[table]!.split(' ').map(word => word.split(':')[0] ?? ''),
];

const ROWS: Target = {
  name: 'bundle:rows',
  holds: 'rows of rasdaemon with any values: at most one record each, written safely, the same of the same',
  weight: 8,
  open: () => chance => {
    const table = chance.pick(rasTables(Object.keys(RAS_TABLES)));
    const row = Object.fromEntries(
      columns(table)
        .filter(() => !chance.oneIn(6))
        .map(name => [name, anyValue(chance)]),
    );
    const run = (): DecodedRecord[] => {
      const records: DecodedRecord[] = [];
      createDecoder({ input: 'x.db', onRecord: record => records.push(record) }).row(table, 1, row);
      return records;
    };
    const { value: records = [], wrong } = attempt(run, []);
    if (records.length > 1) wrong.push(`${records.length} records of one row`);
    for (const record of records) wrong.push(...textFaults('text', toText(record)));
    wrong.push(
      ...differences(
        'again',
        records.map(r => wire(toData(r))),
        run().map(r => wire(toData(r))),
      ),
    );
    return wrong;
  },
};

const IMAGE: Target = {
  name: 'bundle:sqlite-image',
  holds: 'a database, a log and a journal of any bytes: an image of bounded length, no error thrown',
  weight: 4,
  open: () => chance => {
    const header = (magic: readonly number[], length: number): Uint8Array => {
      const bytes = chance.bytes(length);
      bytes.set(magic);
      return bytes;
    };
    const main = header(
      [...Buffer.from('SQLite format 3\0'), 2, 0, chance.below(3), chance.below(3)],
      100 + chance.below(3000),
    );
    const wal = header([0x37, 0x7f, 0x06, 0x82 + chance.below(2)], chance.below(3000) + 8);
    const journal = header(
      [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7, 0, 0, 0, chance.below(4)],
      chance.below(3000) + 12,
    );
    const { value, wrong } = attempt(() => standAlone(withWal(rolledBack(main, journal), wal)), []);
    // What the header says that there is may be missing.
    if (value !== undefined && value.image.length > 1 << 29) wrong.push(`an image of ${value.image.length} bytes`);
    return wrong;
  },
};

const DMI: Target = {
  name: 'bundle:dmidecode',
  holds: 'text of dmidecode, spoiled, in any pieces: the same devices, with bounded names',
  weight: 8,
  open: () => chance => {
    const text = spoiledText(chance, DMIDECODE);
    const read = (pieces: readonly string[]): unknown => {
      const reader = new DmidecodeText();
      for (const piece of pieces) reader.push(piece);
      reader.end();
      return reader.devices;
    };
    const at = chance.below(text.length + 1);
    return differences('in pieces', read([text]), read([text.slice(0, at), text.slice(at)]));
  },
};

const REDACT: Target = {
  name: 'bundle:redact',
  holds: 'any text: names that were learnt are gone, and what was replaced once stays',
  weight: 8,
  open: () => chance => {
    const host = chance.pick(['db1', 'web-17', 'x.dc2.example.net', 'Q7']);
    const part = (): string =>
      (chance.oneIn(3) ? anyText(chance) : spoiledText(chance, chance.pick(LINES))).slice(0, 400);
    const text = `${part()} ${host} ${part()}`;
    const redactor = new Redactor();
    redactor.learn('host', host);
    redactor.learnFrom(`${text}\n`);
    const { value: clean = '', wrong } = attempt(() => redactor.text(text), []);
    if (new RegExp(`(?<![A-Za-z0-9])${host.replaceAll(/[.-]/g, '\\$&')}(?![A-Za-z0-9])`, 'i').test(clean))
      wrong.push(`${host} is still there`);
    return [...wrong, ...differences('again', clean, redactor.text(clean))];
  },
};

export const BUNDLE: readonly Target[] = [TAR, ROWS, IMAGE, DMI, REDACT];
