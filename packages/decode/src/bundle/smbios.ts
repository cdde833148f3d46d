/**
 * @module The memory devices of a machine as dmidecode prints them, and which of them a record speaks of. Sources: SMBIOS 3.7, 7.17 (Physical
 * Memory Array, type 16) and 7.18 (Memory Device, type 17); UEFI 2.10 N.2.5 (card handle, module handle).
 */
import type { CperMemoryError } from '../cper/record.ts';
import type { DimmFacts } from '../decode/place.ts';
import type { DecodedRecord } from '../decode/record.ts';

export interface MemoryDevice {
  handle: number;
  /** Handle of the memory array that it belongs to. */
  array?: number;
  locator?: string;
  bankLocator?: string;
  manufacturer?: string;
  serial?: string;
  partNumber?: string;
  size?: string;
}

/** What makers write where they know nothing. */
const NOTHING =
  /^(?:not specified|unknown|none|no dimm|empty|n\/a|to be filled by o\.?e\.?m\.?|not available|nil|undefined|0+|f+|<out of spec>|<bad index>)$/i;
const NO_MODULE = /^No Module Installed/i;
const HANDLE = /^\s{0,8}Handle 0x([0-9A-Fa-f]{1,4}), DMI type (\d{1,3}), \d{1,5} bytes/;
const PAIR =
  /^\s{1,16}(Array Handle|Size|Locator|Bank Locator|Manufacturer|Serial Number|Part Number): {0,4}(.{0,128}?)\s*$/;
const MEMBERS: Readonly<Record<string, 'locator' | 'bankLocator' | 'manufacturer' | 'serial' | 'partNumber' | 'size'>> =
  {
    Locator: 'locator',
    'Bank Locator': 'bankLocator',
    Manufacturer: 'manufacturer',
    'Serial Number': 'serial',
    'Part Number': 'partNumber',
    Size: 'size',
  };
const MEMORY_DEVICE = '17';
const MAX_DEVICES = 4096;
const MAX_LINE = 256;

/** Reads the output of dmidecode, in pieces, also where it stands within something else. */
export class DmidecodeText {
  readonly devices: MemoryDevice[] = [];
  /** Serial numbers, asset tags and identifiers of anything in it, for who wants them left out. */
  readonly identities: { kind: 'serial' | 'uuid'; value: string }[] = [];
  #rest = '';
  #open: MemoryDevice | undefined;

  push(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = (lines.pop() ?? '').slice(0, MAX_LINE);
    for (const line of lines) this.#line(line.slice(0, MAX_LINE));
  }

  end(): void {
    this.#line(this.#rest);
    this.#rest = '';
    this.#close();
  }

  #line(line: string): void {
    const head = HANDLE.exec(line);
    if (head !== null) {
      this.#close();
      if (head[2] === MEMORY_DEVICE && this.devices.length < MAX_DEVICES) {
        this.#open = { handle: Number.parseInt(head[1] ?? '0', 16) };
      }
      return;
    }
    this.#identity(line);
    const device = this.#open;
    const [, name = '', value = ''] = PAIR.exec(line) ?? [];
    if (device === undefined || name === '' || value === '') return;
    const member = MEMBERS[name];
    if (member === undefined) {
      const array = /^0x([0-9A-Fa-f]{1,4})$/.exec(value)?.[1];
      if (array !== undefined) device.array = Number.parseInt(array, 16);
    } else if (!NOTHING.test(value) || member === 'locator') device[member] ??= value;
  }

  #identity(line: string): void {
    const [, name, value = ''] = /^\s{1,16}(Serial Number|Asset Tag|UUID): {0,4}(.{1,128}?)\s*$/.exec(line) ?? [];
    if (name === undefined || NOTHING.test(value) || this.identities.length >= MAX_DEVICES) return;
    this.identities.push({ kind: name === 'UUID' ? 'uuid' : 'serial', value });
  }

  #close(): void {
    if (this.#open !== undefined && !NO_MODULE.test(this.#open.size ?? '')) this.devices.push(this.#open);
    this.#open = undefined;
  }
}

/** How names of slots are compared. */
const plain = (text: string): string => text.trim().replaceAll(/\s+/g, ' ').toUpperCase();

/** Finds the memory device that a record speaks of. Nothing is guessed: a handle, or a name that one device alone has. */
export class MemoryDevices {
  readonly #byHandle = new Map<number, MemoryDevice>();
  /** By name; undefined for one that several have. */
  readonly #byName = new Map<string, MemoryDevice | undefined>();
  readonly #arrays = new Map<number, MemoryDevice[]>();

  constructor(devices: readonly MemoryDevice[]) {
    for (const device of devices) {
      // The same text may stand in several files.
      if (this.#byHandle.has(device.handle)) continue;
      this.#byHandle.set(device.handle, device);
      const { locator, bankLocator, array } = device;
      // Linux, ghes_edac and cper.c: the bank and the locator, with a blank between them.
      if (locator !== undefined) this.#name(locator, device);
      if (locator !== undefined && bankLocator !== undefined) this.#name(`${bankLocator} ${locator}`, device);
      if (array !== undefined) this.#arrays.set(array, [...(this.#arrays.get(array) ?? []), device]);
    }
  }

  /** All of them, each once. */
  get all(): MemoryDevice[] {
    return [...this.#byHandle.values()];
  }

  get size(): number {
    return this.#byHandle.size;
  }

  /** What SMBIOS says of the DIMM that a record names. */
  of({ raw, place }: DecodedRecord): DimmFacts | undefined {
    const device =
      (raw.kind === 'cper' ? this.#ofHandles(raw.sections) : undefined) ??
      this.#ofName(place?.label) ??
      this.#ofName(place?.fru);
    if (device === undefined) return undefined;
    const { locator, bankLocator, manufacturer, serial, partNumber } = device;
    // What the record calls the part stays; where it calls it nothing, this is its name.
    const unnamed = place?.label === undefined && locator !== undefined;
    const label = unnamed
      ? this.#byName.get(plain(locator)) === device
        ? locator
        : `${bankLocator ?? ''} ${locator}`.trim()
      : undefined;
    const facts = { label, locator, bankLocator, manufacturer, partNumber, serial };
    return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as DimmFacts;
  }

  #ofHandles(sections: readonly { body: { kind: string } }[]): MemoryDevice | undefined {
    for (const { body } of sections) {
      if (body.kind !== 'memory' && body.kind !== 'memory2') continue;
      const { moduleHandle, cardHandle } = body as CperMemoryError;
      const module = moduleHandle === undefined ? undefined : this.#byHandle.get(moduleHandle);
      if (module !== undefined) return module;
      const [only, ...others] = cardHandle === undefined ? [] : (this.#arrays.get(cardHandle) ?? []);
      if (only !== undefined && others.length === 0) return only;
    }
    return undefined;
  }

  #ofName(name: string | undefined): MemoryDevice | undefined {
    return name === undefined ? undefined : this.#byName.get(plain(name));
  }

  #name(text: string, device: MemoryDevice): void {
    const name = plain(text);
    this.#byName.set(name, this.#byName.has(name) ? undefined : device);
  }
}
