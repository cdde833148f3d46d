import { highHalf } from '@syndrome/decode/registers/field.ts';
import { VmmError } from './errors.ts';

/** A node of a device tree. Property values: strings, lists of 32-bit cells, 64-bit cells, raw bytes, or nothing. */
export interface FdtNode {
  name: string;
  properties: Readonly<Record<string, FdtValue>>;
  children?: readonly FdtNode[];
}

/** `null` is an empty property; a string list is one string after the other; a bigint is two cells. */
type FdtValue = null | string | readonly string[] | readonly (number | bigint)[] | Uint8Array;

/** Devicetree Specification 0.4, section 5: the flattened format, version 17. */
const MAGIC = 0xd00dfeed;
const VERSION = 17;
const LAST_COMPATIBLE = 16;
const HEADER_BYTES = 40;
const RESERVE_MAP_BYTES = 16; // only its terminator
const TOKEN = { BEGIN_NODE: 1, END_NODE: 2, PROP: 3, END: 9 } as const;
const MAX_NAME = 31;

/** Flattens a device tree. Throws E_VMM_FDT for a name the format cannot hold. */
export function writeFdt(root: FdtNode): Uint8Array {
  const strings = new StringBlock();
  const words = new ByteWriter();
  writeNode(root, words, strings, true);
  words.u32(TOKEN.END);
  const structure = words.bytes();
  const names = strings.bytes();
  const structAt = HEADER_BYTES + RESERVE_MAP_BYTES;
  const stringsAt = structAt + structure.length;
  const header = new ByteWriter();
  for (const word of [MAGIC, stringsAt + names.length, structAt, stringsAt, HEADER_BYTES, VERSION, LAST_COMPATIBLE])
    header.u32(word);
  for (const word of [0, names.length, structure.length]) header.u32(word); // boot CPU, sizes
  const head = header.bytes();
  const out = new Uint8Array(stringsAt + names.length);
  out.set(head);
  out.set(structure, structAt);
  out.set(names, stringsAt);
  return out;
}

function writeNode(node: FdtNode, words: ByteWriter, strings: StringBlock, isRoot: boolean): void {
  checkName(node.name, isRoot);
  words.u32(TOKEN.BEGIN_NODE);
  words.padded(text(node.name));
  for (const [name, value] of Object.entries(node.properties)) {
    checkName(name, false);
    const bytes = encode(value);
    words.u32(TOKEN.PROP);
    words.u32(bytes.length);
    words.u32(strings.offsetOf(name));
    words.padded(bytes);
  }
  for (const child of node.children ?? []) writeNode(child, words, strings, false);
  words.u32(TOKEN.END_NODE);
}

function checkName(name: string, isRoot: boolean): void {
  const unitless = name.split('@')[0] ?? '';
  if (isRoot ? name === '' : /^[0-9a-zA-Z,._+?#@-]+$/.test(name) && unitless.length <= MAX_NAME) return;
  throw new VmmError('E_VMM_FDT', `${JSON.stringify(name)} is not a name a device tree can hold`);
}

function encode(value: FdtValue): Uint8Array {
  if (value === null) return new Uint8Array(0);
  if (typeof value === 'string') return text(value);
  if (value instanceof Uint8Array) return value;
  const out = new ByteWriter();
  for (const item of value) {
    if (typeof item === 'string') out.raw(text(item));
    else if (typeof item === 'bigint') {
      out.u32(highHalf(item));
      out.u32(Number(BigInt.asUintN(32, item)));
    } else out.u32(item);
  }
  return out.bytes();
}

const text = (value: string): Uint8Array => {
  if (value.includes('\0')) throw new VmmError('E_VMM_FDT', 'a string of a device tree cannot hold a NUL');
  return new TextEncoder().encode(`${value}\0`);
};

/** Property names, each once. */
class StringBlock {
  readonly #offsets = new Map<string, number>();
  readonly #writer = new ByteWriter();

  offsetOf(name: string): number {
    const known = this.#offsets.get(name);
    if (known !== undefined) return known;
    const at = this.#writer.length;
    this.#offsets.set(name, at);
    this.#writer.raw(text(name));
    return at;
  }

  bytes(): Uint8Array {
    return this.#writer.bytes();
  }
}

/** Big-endian output (the format's byte order). */
class ByteWriter {
  readonly #parts: Uint8Array[] = [];
  length = 0;

  raw(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.length += bytes.length;
  }

  padded(bytes: Uint8Array): void {
    this.raw(bytes);
    const padding = (4 - (bytes.length % 4)) % 4;
    if (padding > 0) this.raw(new Uint8Array(padding));
  }

  u32(value: number): void {
    this.raw(new Uint8Array([value >>> 24, value >>> 16, value >>> 8, value]));
  }

  bytes(): Uint8Array {
    const out = new Uint8Array(this.length);
    let at = 0;
    for (const part of this.#parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }
}
