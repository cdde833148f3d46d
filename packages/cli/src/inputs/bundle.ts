/**
 * @module A folder or an archive of files as one input. Every file of which the name says that it can hold errors is read where it lies, in
 * pieces; nothing is written. Its records come in the order of the names of their files.
 */
import { closeSync, constants, openSync, readdirSync, readSync } from 'node:fs';
import type { Dirent } from 'node:fs';
import { join } from 'node:path';
import { Copies } from '@syndrome/decode/bundle/copies.ts';
import { bundleKind, edacPlace, isMadeForSupport, logOf, unpackedName } from '@syndrome/decode/bundle/names.ts';
import type { BundleKind } from '@syndrome/decode/bundle/names.ts';
import { DmidecodeText } from '@syndrome/decode/bundle/smbios.ts';
import { thousands } from '@syndrome/decode/decode/count.ts';
import { createDecoder } from '@syndrome/decode/decode/decoder.ts';
import type { DecoderOptions } from '@syndrome/decode/decode/decoder.ts';
import type { DecodedRecord, DecodedSource, Diagnostic } from '@syndrome/decode/decode/record.ts';
import { eachRow } from './database.ts';
import type { DatabaseImage } from './database.ts';
import { edacCounts, edacText } from './edac-counts.ts';
import type { EdacCounts } from './edac-counts.ts';
import { InputError } from './input-error.ts';
import { SNIFFED, kindOf } from '@syndrome/decode/bundle/file-kind.ts';
import { MAX_IMAGE } from './sqlite-image.ts';
import { TarReader } from './tar.ts';
import type { EntrySink } from './tar.ts';
import { isPacking, unpack } from './unpack.ts';

/** What a bundle is read with, and for. */
export interface BundleUse {
  options: Omit<DecoderOptions, 'onRecord'>;
  /** What was lost or is odd, of one file. */
  tell(diagnostic: Diagnostic, source: DecodedSource): void;
  /** What dmidecode printed, before any record is given. */
  devices(text: DmidecodeText): void;
  /** The first lines of a file that says who the machine is. */
  host(path: string, text: string): void;
  record(record: DecodedRecord): void;
  /** Bytes of a log, as they come. */
  bytes?: ((bytes: Uint8Array) => void) | undefined;
  between(): Promise<void> | undefined;
}

/** Records that are held to find their copies. Beyond them each is given as it comes. */
const MAX_HELD = 50_000;
const EARLY = `more than ${thousands(MAX_HELD)} records: copies, and DIMMs by dmidecode, were looked for among so many at a time`;
const MAX_LOG = 2 ** 32;
const MAX_PACKED = 1 << 28;
const MAX_SMALL = 1 << 12;
const MAX_ENTRIES = 2_000_000;
const MAX_DEPTH = 64;
const MAX_LABELS = 4096;
const PIECE = 1 << 18;
const TURN = 256;
/** Files that are named one by one. */
const MAX_NAMED = 8;
const DMI = Buffer.from('DMI type ');

/** Why a file that may hold errors was not read. */
const UNREAD: Readonly<Record<string, string>> = {
  journal: 'a journal of systemd in its own form: `journalctl --file FILE | syndrome decode`',
  tar: 'an archive within this one: give it by itself',
  zip: 'a zip: unpack it first',
  encrypted: 'encrypted: decrypt it first, as in `gpg --decrypt`',
  sqlite: 'a database of SQLite, and by its name none of rasdaemon',
};

const plural = (n: number, one: string, many = `${one}s`): string => `${thousands(n)} ${n === 1 ? one : many}`;

/** Who takes the bytes of an input. */
export interface Target {
  push(bytes: Uint8Array): Promise<void> | undefined;
  end(): Promise<void> | undefined;
}

export class Bundle {
  readonly #name: string;
  readonly #use: BundleUse;
  readonly #made: boolean;
  readonly #files: { path: string; records: DecodedRecord[] }[] = [];
  readonly #copies = new Copies();
  readonly #dmi = new DmidecodeText();
  readonly #databases = new Map<string, { -readonly [K in keyof DatabaseImage]: DatabaseImage[K] }>();
  /** Counters and labels of EDAC by their place below `edac/mc`, and where that is. */
  readonly #edac = new Map<string, string>();
  #edacRoot = '';
  /** DIMMs of which lines of the driver are there. */
  readonly #labels = new Set<string>();
  #held = 0;
  #given = 0;
  #copied = 0;
  /** Records were given before all files were read. */
  #early = false;
  #read = 0;
  #skipped = 0;
  #links = 0;
  readonly #unread: string[] = [];
  readonly #notes: string[] = [];

  /** @param name of the input; those of its files stand behind it */
  constructor(name: string, use: BundleUse) {
    this.#name = name;
    this.#use = use;
    this.#made = isMadeForSupport(name);
  }

  /** Who takes the bytes of a file; undefined for one that is not looked at. */
  member(path: string, size: number): EntrySink | undefined {
    const kind = this.#kindOf(path);
    if (kind === undefined) {
      this.#skipped++;
      return undefined;
    }
    if (kind === 'unread') {
      this.#leave(path, 'journal');
      return undefined;
    }
    this.#read++;
    if (size === 0) return undefined;
    if (unpackedName(path) !== path) {
      return this.#whole(path, size, MAX_PACKED, bytes => this.#packed(path, bytes, bytes.length));
    }
    if (kind === 'database') {
      return this.#whole(path, size, MAX_IMAGE, bytes => {
        this.#database(path, bytes);
      });
    }
    if (kind === 'edac' || kind === 'host') {
      if (size > MAX_SMALL && kind === 'edac') return undefined;
      return this.#whole(path, Math.min(size, MAX_SMALL), MAX_SMALL, bytes => {
        const text = new TextDecoder().decode(bytes);
        if (kind === 'host') this.#use.host(path, text);
        else {
          const place = edacPlace(path) ?? path;
          this.#edacRoot = path.slice(0, path.length - place.length);
          this.#edac.set(place, text.trim());
        }
      });
    }
    return this.#log(path, kind === 'log');
  }

  /** A link, a device: nothing that holds bytes of its own. */
  link(): void {
    this.#links++;
  }

  lost(code: 'E_INPUT_FILE' | 'E_INPUT_ARCHIVE' | 'E_INPUT_DATABASE', message: string, path?: string): void {
    this.#use.tell({ code, message }, { input: this.#inputOf(path), from: 'linux' });
  }

  /** Reads a folder, in the order of its names. */
  async folder(root: string): Promise<void> {
    let entries = 0;
    const walk = async (folder: string, below: string, depth: number): Promise<void> => {
      let names: Dirent[];
      try {
        names = readdirSync(folder, { withFileTypes: true });
      } catch (error) {
        if (below === '')
          throw new InputError('E_INPUT', `cannot read ${root}`, {
            hint: 'Give a folder that may be read.',
            cause: error,
          });
        this.lost('E_INPUT_FILE', `the folder cannot be read: ${reasonOf(error)}`, below);
        return;
      }
      for (const entry of names.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
        if (++entries > MAX_ENTRIES || depth > MAX_DEPTH) {
          this.lost(
            'E_INPUT_ARCHIVE',
            `more than ${MAX_ENTRIES} entries, or folders ${MAX_DEPTH} deep: the rest was not looked at`,
            below,
          );
          return;
        }
        const path = below === '' ? entry.name : `${below}/${entry.name}`;
        if (entry.isDirectory()) await walk(join(folder, entry.name), path, depth + 1);
        else if (entry.isFile()) await this.#file(join(folder, entry.name), path);
        else this.link();
      }
    };
    await walk(root, '', 0);
  }

  /** Reads a tar that comes in pieces. */
  tar(): Target {
    const tar = new TarReader(({ path, size, type }) => {
      if (type === 'file') return this.member(path, size);
      if (type === 'other') this.link();
      return undefined;
    });
    return {
      push: bytes => tar.push(bytes),
      end: async () => {
        await tar.end();
        if (tar.broken !== undefined)
          this.lost(
            'E_INPUT_ARCHIVE',
            `the archive is cut or damaged: ${tar.broken}; what stands before that was read`,
          );
      },
    };
  }

  /** Gives all records, and says what was read. */
  async end(): Promise<string> {
    this.#dmi.end();
    this.#use.devices(this.#dmi);
    await this.#flush();
    for (const [path, image] of [...this.#databases].toSorted(([a], [b]) => (a < b ? -1 : 1)))
      await this.#rows(path, image);
    for (const counts of edacCounts(this.#edac)) this.#counts(counts);
    return this.#summary();
  }

  /** What was found, for who asks why there is nothing. */
  get evidence(): string {
    return this.#read === 0
      ? `${this.#name} holds no file whose name is one of a log`
      : `${plural(this.#read, 'file')} of ${this.#name} ${this.#read === 1 ? 'was' : 'were'} read`;
  }

  #summary(): string {
    const parts = [`${plural(this.#read, 'file')} read`];
    if (this.#skipped > 0) parts.push(`${plural(this.#skipped, 'other')} not looked at`);
    if (this.#links > 0) parts.push(`${plural(this.#links, 'link or device', 'links and devices')} left alone`);
    if (this.#copied > 0)
      parts.push(`${plural(this.#copied, 'copy', 'copies')} of records in further files joined with them`);
    if (this.#early) this.#notes.push(EARLY);
    const named = this.#unread.slice(0, MAX_NAMED).map(line => `\n  ${line}`);
    if (this.#unread.length > MAX_NAMED)
      named.push(`\n  and ${this.#unread.length - MAX_NAMED} more that were not read`);
    return `${this.#name}: ${parts.join(', ')}${[...named, ...this.#notes.map(line => `\n  ${line}`)].join('')}`;
  }

  #kindOf(path: string): BundleKind | undefined {
    return bundleKind(path, this.#made || isMadeForSupport(path));
  }

  #inputOf(path: string | undefined): string {
    return path === undefined ? this.#name : `${this.#name}:${path}`;
  }

  #leave(path: string, why: string): void {
    this.#unread.push(`${path}: ${UNREAD[why] ?? why}`);
  }

  /** A file of a folder. */
  async #file(full: string, path: string): Promise<void> {
    let fd: number;
    try {
      // A link that took its place since is not followed.
      fd = openSync(full, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
    } catch (error) {
      if (this.#kindOf(path) === undefined) this.#skipped++;
      else this.lost('E_INPUT_FILE', `the file cannot be read: ${reasonOf(error)}`, path);
      return;
    }
    try {
      const buffer = new Uint8Array(PIECE);
      let length = readSync(fd, buffer, 0, PIECE, null);
      const sink = this.member(path, length);
      for (; sink !== undefined && length > 0; length = readSync(fd, buffer, 0, PIECE, null)) {
        await sink.data(buffer.subarray(0, length));
        await this.#use.between();
      }
      await sink?.end(true);
    } catch (error) {
      if (!(error instanceof Error && 'syscall' in error)) throw error;
      this.lost('E_INPUT_FILE', `the file could not be read to its end: ${reasonOf(error)}`, path);
    } finally {
      closeSync(fd);
    }
  }

  /** Collects a file whole. */
  #whole(
    path: string,
    size: number,
    most: number,
    use: (bytes: Uint8Array) => Promise<void> | void,
  ): EntrySink | undefined {
    if (size > most) {
      this.lost('E_INPUT_FILE', `larger than the ${most / 2 ** 20} MiB that are read of such a file`, path);
      return undefined;
    }
    const parts: Uint8Array[] = [];
    let length = 0;
    return {
      data: bytes => {
        if (length <= most) parts.push(bytes.slice());
        length += bytes.length;
        return undefined;
      },
      end: whole => {
        if (!whole)
          this.lost('E_INPUT_FILE', 'the archive ends in the middle of the file; what is there was read', path);
        if (length > most && most > MAX_SMALL) {
          this.lost('E_INPUT_FILE', `larger than the ${most / 2 ** 20} MiB that are read of such a file`, path);
          return undefined;
        }
        const done = use(Buffer.concat(parts));
        return done ?? undefined;
      },
    };
  }

  async #packed(path: string, bytes: Uint8Array, size: number): Promise<void> {
    const kind = kindOf(bytes.subarray(0, SNIFFED), path);
    if (!isPacking(kind)) {
      const sink = this.#inner(path);
      await sink?.data(bytes);
      await sink?.end(true);
      return;
    }
    let sink = this.#inner(path);
    const wrong = await unpack(kind, bytes, {
      size,
      take: piece => {
        const busy = sink?.data(piece);
        return busy ?? this.#use.between();
      },
    });
    await sink?.end(true);
    sink = undefined;
    if (wrong !== undefined) this.lost('E_INPUT_FILE', `${wrong}; what stands before that was read`, path);
  }

  /** Who takes what a packed file holds. */
  #inner(path: string): EntrySink | undefined {
    const kind = this.#kindOf(path);
    if (kind === 'database') {
      return this.#whole(path, 1, MAX_IMAGE, bytes => {
        this.#database(path, bytes);
      });
    }
    return kind === 'log' || kind === 'dmidecode' ? this.#log(path, kind === 'log') : undefined;
  }

  #database(path: string, bytes: Uint8Array): void {
    const name = unpackedName(path);
    const main = name.replace(/-(?:wal|journal)$/, '');
    const image = this.#databases.get(main) ?? { main: new Uint8Array(0) };
    if (name.endsWith('-wal')) image.wal = bytes;
    else if (name.endsWith('-journal')) image.journal = bytes;
    else image.main = bytes;
    this.#databases.set(main, image);
  }

  /** @param decodes whether its lines can be of errors, or only of parts */
  #log(path: string, decodes: boolean): EntrySink {
    const input = this.#inputOf(path);
    const file: { path: string; records: DecodedRecord[] } = { path, records: [] };
    this.#files.push(file);
    let isValue = false;
    const decoder = decodes
      ? createDecoder({
          ...this.#use.options,
          input,
          onDetected: ({ form }) => (isValue = form === 'value'),
          onRecord: record => {
            // Numbers in a file that nobody typed are none of an error.
            if (!isValue) file.records.push(record);
            if (!isValue) this.#held++;
          },
          onDiagnostic: (diagnostic, source) => {
            if (!isValue) this.#use.tell(diagnostic, source);
          },
        })
      : undefined;
    let head: Uint8Array | undefined = new Uint8Array(0);
    let left = false;
    let length = 0;
    let dmi = false;
    const take = (bytes: Uint8Array): void => {
      if (left) return;
      length += bytes.length;
      if (length > MAX_LOG) {
        left = true;
        this.lost('E_INPUT_FILE', 'longer than the 4 GiB that are read of a file; the rest was left out', path);
        return;
      }
      dmi ||= Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(DMI);
      if (dmi) this.#dmi.push(new TextDecoder('latin1').decode(bytes));
      this.#use.bytes?.(bytes);
      decoder?.push(bytes);
    };
    const begin = (bytes: Uint8Array): void => {
      head = undefined;
      const kind = kindOf(bytes, path);
      if (kind !== 'other') {
        left = true;
        this.#leave(path, kind);
      } else take(bytes);
    };
    return {
      data: bytes => {
        if (head === undefined) take(bytes);
        else {
          head = Buffer.concat([head, bytes]);
          if (head.length >= SNIFFED) begin(head);
        }
        if (this.#held <= MAX_HELD) return undefined;
        this.#early = true;
        return this.#flush();
      },
      end: whole => {
        if (head !== undefined) begin(head);
        if (!left || length > 0) decoder?.end();
        if (dmi) this.#dmi.push('\n');
        if (!whole)
          this.lost('E_INPUT_FILE', 'the archive ends in the middle of the file; what is there was read', path);
        return undefined;
      },
    };
  }

  /** Gives the records of the files that were read. */
  async #flush(): Promise<void> {
    const files = this.#files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
    for (const { path, records } of files) {
      this.#copied += records.length;
      this.#copies.file(logOf(path), records.splice(0));
    }
    this.#held = 0;
    const records = this.#copies.end();
    this.#copied -= records.length;
    for (const record of records) {
      const { label } = record.place ?? {};
      if (label !== undefined && record.class.startsWith('edac-') && this.#labels.size < MAX_LABELS)
        this.#labels.add(label);
      this.#use.record(record);
      if (++this.#given % TURN === 0) await this.#use.between();
    }
  }

  async #rows(path: string, image: DatabaseImage): Promise<void> {
    const input = this.#inputOf(path);
    const decoder = createDecoder({ ...this.#use.options, input, onRecord: record => this.#use.record(record) });
    try {
      await eachRow(
        input,
        image,
        decoder,
        message => this.lost('E_INPUT_DATABASE', message, path),
        () => this.#use.between(),
      );
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.lost('E_INPUT_DATABASE', error.message.replace(`${input} `, 'this '), path);
    }
  }

  /** What EDAC counted of a DIMM since the boot. Where its lines are there too the same errors are not counted again. */
  #counts(counts: EdacCounts): void {
    const path = `${this.#edacRoot}${counts.place}`;
    const { label, ce, ue } = counts;
    if (this.#labels.has(label)) {
      this.#notes.push(
        `${path}: ${ce} corrected and ${ue} uncorrected of ${label} since the boot, whose lines are in the logs`,
      );
      return;
    }
    const decoder = createDecoder({
      ...this.#use.options,
      from: 'log',
      input: this.#inputOf(path),
      onRecord: record => {
        // The lines are none of a file.
        for (const member of ['firstLine', 'lastLine', 'firstByte', 'endByte'] as const) delete record.source[member];
        this.#use.record(record);
      },
    });
    decoder.push(edacText(counts));
    decoder.end();
  }
}

const reasonOf = (error: unknown): string =>
  error instanceof Error
    ? (/^[A-Z0-9]+: (?<text>[^,]+),/.exec(error.message)?.groups?.['text'] ?? error.message)
    : String(error);
