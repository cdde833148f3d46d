/**
 * The registers a stub offers (GDB manual, appendix G, "Target Descriptions"): `target.xml` and what it includes.
 * Only names, numbers and sizes are read; types, flags and groups are for debuggers.
 */
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { GdbProtocolError } from './errors.ts';
import { childOf, elementsOf, textOf, type XmlElement } from '../xml/element.ts';
import { readXml } from '../xml/read.ts';

export type RegisterDescription = {
  name: string;
  /** Number in `p` and `P` packets. */
  regnum: number;
  bitsize: number;
  /** The feature it belongs to (`org.gnu.gdb.aarch64.core`, `org.qemu.gdb.arm.sys.regs`). */
  feature: string;
};

export type TargetDescription = {
  /** As in the document: `aarch64`, `i386:x86-64`. */
  architecture: string;
  /** In the order of the documents. A name that comes twice stands here twice. */
  registers: readonly RegisterDescription[];
};

/** Bounds on a description; QEMU's largest has about 10 documents and 700 registers, `za` of SME with 524288 bits. */
const MAX_DOCUMENTS = 64;
const MAX_REGISTERS = 16_384;
const MAX_BITSIZE = 1_048_576;
const MAX_REGNUM = 0xffff;

/**
 * Reads `target.xml` and its includes through `fetch`, which gives a document's text by its name. Throws
 * GdbProtocolError when they are not a target description; what `fetch` throws passes through.
 */
export async function readTargetDescription(fetch: (annex: string) => Promise<string>): Promise<TargetDescription> {
  const reading: Reading = { fetch, documents: 0, architecture: '', registers: [], next: 0, feature: '' };
  await readDocument('target.xml', reading);
  return { architecture: reading.architecture, registers: reading.registers };
}

type Reading = {
  fetch: (annex: string) => Promise<string>;
  documents: number;
  architecture: string;
  registers: RegisterDescription[];
  /** The number of a register that names none: one more than the register before it. */
  next: number;
  feature: string;
};

async function readDocument(annex: string, reading: Reading): Promise<void> {
  if (++reading.documents > MAX_DOCUMENTS) throw bad(annex, `more than ${MAX_DOCUMENTS} documents are included`);
  const text = await reading.fetch(annex);
  let root: XmlElement;
  try {
    root = readXml(text);
  } catch (error) {
    throw bad(annex, messageOf(error));
  }
  const architecture = textOf(childOf(root, 'architecture')) ?? '';
  if (reading.architecture === '' && /^[\w:.+-]{1,64}$/.test(architecture)) reading.architecture = architecture;
  for (const element of elementsOf(root)) {
    if (element.name === 'feature') reading.feature = element.attributes['name'] ?? '';
    else if (element.name === 'reg') addRegister(element, annex, reading);
    else if (element.name === 'xi:include') await include(element, annex, reading);
  }
}

async function include(element: XmlElement, annex: string, reading: Reading): Promise<void> {
  const href = element.attributes['href'] ?? '';
  // The name goes into a request, where these characters cannot end it or change its meaning.
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(href)) throw bad(annex, 'an include without a usable name');
  await readDocument(href, reading);
}

function addRegister({ attributes }: XmlElement, annex: string, reading: Reading): void {
  const name = attributes['name'] ?? '';
  if (!/^[\w.-]{1,64}$/.test(name)) throw bad(annex, 'a register without a usable name');
  const bitsize = boundedNumber(attributes['bitsize'], 1, MAX_BITSIZE);
  const explicit = attributes['regnum'];
  const regnum = explicit === undefined ? reading.next : boundedNumber(explicit, 0, MAX_REGNUM);
  if (bitsize === undefined) throw bad(annex, `register ${name} without a usable bitsize`);
  if (regnum === undefined || regnum > MAX_REGNUM) throw bad(annex, `register ${name} without a usable regnum`);
  if (reading.registers.length >= MAX_REGISTERS) throw bad(annex, `more than ${MAX_REGISTERS} registers`);
  reading.registers.push({ name, regnum, bitsize, feature: reading.feature });
  reading.next = regnum + 1;
}

function boundedNumber(text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined || !/^[0-9]{1,7}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}

function bad(annex: string, reason: string): GdbProtocolError {
  return new GdbProtocolError(`the target description is not usable (${reason})`, annex);
}
