import { closeSync, constants, fsyncSync, linkSync, openSync, rmSync, writeSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { unfinishedName } from '@syndrome/base/disk/write-whole.ts';
import { StoreError } from '@syndrome/base/store/errors.ts';
import { migrate } from '@syndrome/base/store/migrate.ts';
import { openStore, type StorePlace } from '@syndrome/base/store/open.ts';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { exportLedger, type Exported } from '@syndrome/supervisor/controller/export.ts';
import { checkExport, importLedger } from '@syndrome/supervisor/controller/import.ts';
import { type LedgerReport, lookThrough } from '@syndrome/supervisor/controller/look-through.ts';
import { type Replayed, replay } from '@syndrome/supervisor/controller/replay.ts';
import { SCHEMA } from '@syndrome/supervisor/controller/schema.ts';
import { readPlaces } from '@syndrome/supervisor/site/site-file.ts';
import { EXIT } from './exit-codes.ts';
import { interruptSignal } from './interrupt.ts';
import { openLedger, placeLabel, placeNamed } from './open-ledger.ts';
import { type GlobalOptions, print, printJson } from './output.ts';

/** By which a command names a store. */
export interface StoreOptions extends GlobalOptions {
  config?: string;
  shard?: string;
  store?: string;
  passwordFile?: string;
  json?: boolean;
}

interface Options extends StoreOptions {
  replay?: boolean;
}

/** What looks at all rows takes its time, ms. */
const PATIENT = { statement: 3_600_000 };

/** Where the store is. @throws UsageError E_STORE_NAMED where none is named, or two are */
function placeOf({ config, shard, store, passwordFile }: StoreOptions): StorePlace {
  if ((config === undefined) === (store === undefined))
    throw new UsageError('E_STORE_NAMED', 'name a store, or the site whose store it is', {
      hint: '--config FILE, or --store FILE, or --store postgresql://USER@HOST/DATABASE',
    });
  if (store !== undefined && shard !== undefined)
    throw new UsageError('E_STORE_NAMED', '--shard goes with --config: a store that is named is one ledger');
  if (store !== undefined) return placeNamed(store, passwordFile);
  if (passwordFile !== undefined)
    throw new UsageError('E_STORE_NAMED', '--password-file goes with --store; a site names its own', {
      hint: 'store: { url: postgresql://…, passwordFile: FILE }',
    });
  return readPlaces(config ?? '', shard).store;
}

async function within<T>(
  store: ReturnType<typeof openStore>,
  work: (store: Awaited<ReturnType<typeof openStore>>) => Promise<T>,
): Promise<T> {
  const opened = await store;
  try {
    return await work(opened);
  } finally {
    await opened.close();
  }
}

/** Reads from the store that is named. @throws UsageError E_STORE_NAMED, StoreError */
export const withLedger = <T>(
  options: StoreOptions,
  work: (store: Awaited<ReturnType<typeof openStore>>) => Promise<T>,
): Promise<T> => within(openLedger(placeOf(options), 'E_STORE_NAMED', PATIENT), work);

/** Exit code 1 where something does not fit together. */
export async function check(options: Options): Promise<void> {
  const place = placeOf(options);
  const { report, replayed } = await withLedger(options, async store => {
    const found = await lookThrough(store);
    return {
      report: found,
      replayed: options.replay === true && found.schema.done > 0 ? await replay(store.query) : undefined,
    };
  });
  const well = report.faults.length === 0 && replayed?.differs === undefined;
  if (!well) process.exitCode = EXIT.fail;
  if (options.json === true)
    return printJson({
      schemaVersion: 1,
      store: placeLabel(place),
      well,
      ...report,
      ...(replayed && { replay: replayed }),
    });
  for (const line of reportLines(placeLabel(place), report, replayed)) print(line);
}

const when = (ms: number): string => new Date(ms).toISOString();

function reportLines(label: string, report: LedgerReport, replayed: Replayed | undefined): string[] {
  const { engine, version, schema, tables, lease, inputs, decided, openActs, waiting, faults } = report;
  const rows = Object.entries(tables);
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    `${label}: ${engine === 'sqlite' ? 'SQLite' : 'PostgreSQL'} ${version}, step ${schema.done} of ${schema.known} of the schema`,
    ...rows.map(([name, n]) => `  ${name.padEnd(width)}  ${n}`),
    ...(inputs === undefined ? [] : [`inputs from ${when(inputs.first)} to ${when(inputs.last)}`]),
    ...(decided === undefined ? [] : [`${decided.decisions} decisions, hash ${decided.hash}`]),
    ...(lease === undefined
      ? []
      : [`lease: epoch ${lease.epoch}, ${lease.live ? 'a controller works on it' : 'no controller works on it'}`]),
    ...(rows.length === 0 ? ['nothing is in it'] : [`${openActs} acts are not over, ${waiting} notices wait`]),
    ...(replayed === undefined
      ? []
      : [
          replayed.differs === undefined
            ? `decided once more: the same (${replayed.inputs} inputs, compared ${replayed.compared} times)`
            : `decided once more: NOT the same, from input ${replayed.differs.seq} on`,
        ]),
    ...(faults.length === 0
      ? ['well: nothing is damaged, nothing contradicts itself']
      : faults.map(f => `WRONG: ${f}`)),
  ];
}

export async function bringUp(options: Options): Promise<void> {
  const place = placeOf(options);
  const gone = await within(openStore(place), store => migrate(store, SCHEMA));
  if (options.json === true)
    return printJson({ schemaVersion: 1, store: placeLabel(place), gone, schema: SCHEMA.length });
  print(`${placeLabel(place)}: ${gone} steps were gone; it is at step ${SCHEMA.length} of the schema`);
}

/** The file is there whole, or not at all. */
export async function exportTo(file: string, options: Options): Promise<void> {
  const [place, path] = [placeOf(options), resolve(file)];
  const signal = interruptSignal();
  const exported = await within(openLedger(place, 'E_STORE_NAMED'), async store => {
    const fresh = unfinishedName(path);
    try {
      const fd = openSync(
        fresh,
        constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW,
        0o600,
      );
      let done: Exported;
      try {
        done = await exportLedger(store, line => writeAll(fd, Buffer.from(line)), signal);
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
      linkSync(fresh, path);
      const folder = openSync(dirname(path), constants.O_RDONLY);
      fsyncSync(folder);
      closeSync(folder);
      return done;
    } catch (cause) {
      if (cause instanceof StoreError || signal.aborted) throw cause;
      const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST';
      if (exists) throw new StoreError('E_STORE_EXISTS', `${path} is there already`);
      throw new StoreError('E_STORE_IO', `the export cannot be written to ${path}`, { cause });
    } finally {
      rmSync(fresh, { force: true });
    }
  });
  tell(options, { store: placeLabel(place), file: path, ...exported }, `${exported.rows} rows are in ${path}`);
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

export async function importFrom(file: string, options: Options): Promise<void> {
  const [place, path] = [placeOf(options), resolve(file)];
  const signal = interruptSignal();
  await checkExport(path);
  const imported = await within(openStore(place, PATIENT), store => importLedger(store, path, signal));
  tell(
    options,
    { store: placeLabel(place), file: path, ...imported },
    `${imported.rows} rows are in ${placeLabel(place)}`,
  );
}

function tell(options: Options, facts: Exported & { store: string; file: string }, line: string): void {
  if (options.json === true) return printJson({ schemaVersion: 1, ...facts });
  print(`${line}, hash ${facts.sha256}`);
}
