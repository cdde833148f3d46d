/** @module What a domain's definition says, and the definition without what is secret in it. Source: libvirt's documentation, "Domain XML format". */
import { LibvirtDefinitionError } from './errors.ts';
import { childOf, childrenOf, textOf, type XmlElement } from '../xml/element.ts';
import { readXml, XmlError } from '../xml/read.ts';
import { writeXml } from '../xml/write.ts';

interface Definition {
  name: string;
  uuid: string;
  memoryBytes: number;
  /** Its model or mode (`host-passthrough`); undefined where the definition leaves it to QEMU. */
  cpuModel?: string;
  /** Its QEMU, where the definition names one. */
  emulator?: string;
  onCrash?: string;
  /** Where its disks are: a path, a device, `pool/volume`, or `protocol:name`. */
  disks: string[];
  /** Files that have to be there on each host where it is started: emulator, disks, loader, kernel. By whole path. */
  files: string[];
  /** The file that its first console or serial port is written to, beside or in the place of its other end. */
  console?: string;
  /** The elements of <metadata> by their namespace. */
  metadata: ReadonlyMap<string, XmlElement>;
}

/** Units of <memory>: those with an i, and single letters, are powers of two. */
const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  bytes: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  k: 2 ** 10,
  KiB: 2 ** 10,
  M: 2 ** 20,
  MiB: 2 ** 20,
  G: 2 ** 30,
  GiB: 2 ** 30,
  T: 2 ** 40,
  TiB: 2 ** 40,
};

function memoryOf(domain: XmlElement): number {
  const memory = childOf(domain, 'memory');
  const unit = UNITS[memory?.attributes['unit'] ?? 'KiB'];
  const bytes = Number(textOf(memory) || Number.NaN) * (unit ?? Number.NaN);
  if (!Number.isSafeInteger(bytes) || bytes <= 0) throw new LibvirtDefinitionError('its memory is no number of bytes');
  return bytes;
}

function diskOf(disk: XmlElement): string | undefined {
  const of = childOf(disk, 'source')?.attributes ?? {};
  if (of['pool'] !== undefined && of['volume'] !== undefined) return `${of['pool']}/${of['volume']}`;
  if (of['protocol'] !== undefined) return `${of['protocol']}:${of['name'] ?? ''}`;
  return of['file'] ?? of['dev'] ?? of['dir'];
}

/** What is made anew where it is missing (nvram) is not among them, nor what a daemon of libvirt finds (pools). */
function filesOf(domain: XmlElement): string[] {
  const [devices, os] = [childOf(domain, 'devices'), childOf(domain, 'os')];
  const sources = childrenOf(devices, 'disk').map(disk => {
    const { file, dev } = childOf(disk, 'source')?.attributes ?? {};
    return file ?? dev;
  });
  const boot = ['loader', 'kernel', 'initrd', 'dtb'].map(name => textOf(childOf(os, name)));
  const files = [textOf(childOf(devices, 'emulator')), ...boot, ...sources];
  return [...new Set(files.flatMap(path => (path?.startsWith('/') === true ? [path] : [])))];
}

/** `<log file=…/>` of a port of any kind, or the `path` of a port that is a file. */
function consoleOf(domain: XmlElement): string | undefined {
  const devices = childOf(domain, 'devices');
  const files = [...childrenOf(devices, 'serial'), ...childrenOf(devices, 'console')].flatMap(
    port =>
      childOf(port, 'log')?.attributes['file'] ??
      (port.attributes['type'] === 'file' ? childOf(port, 'source')?.attributes['path'] : undefined) ??
      [],
  );
  return files.find(path => path.startsWith('/'));
}

/** The namespace that an element itself declares for its own prefix; libvirt wants that in <metadata>. */
function namespaceOf({ name, attributes }: XmlElement): string | undefined {
  const colon = name.indexOf(':');
  return attributes[colon < 0 ? 'xmlns' : `xmlns:${name.slice(0, colon)}`];
}

/** The element of a text. @throws LibvirtDefinitionError */
function documentOf(xml: string): XmlElement {
  try {
    return readXml(xml);
  } catch (error) {
    if (error instanceof XmlError) throw new LibvirtDefinitionError(error.message);
    throw error;
  }
}

function readDomain(xml: string): XmlElement {
  const domain = documentOf(xml);
  if (domain.name !== 'domain') throw new LibvirtDefinitionError(`<${domain.name}> is no domain`);
  return domain;
}

/** What a definition says. @throws LibvirtDefinitionError for what is no domain's XML */
export function readDefinition(xml: string): Definition {
  const domain = readDomain(xml);
  const [name, uuid] = [textOf(childOf(domain, 'name')), textOf(childOf(domain, 'uuid'))];
  if (!name || !uuid) throw new LibvirtDefinitionError('it has no name or no UUID');
  const cpu = childOf(domain, 'cpu');
  const cpuModel = textOf(childOf(cpu, 'model')) || cpu?.attributes['mode'];
  const onCrash = textOf(childOf(domain, 'on_crash'));
  const guestConsole = consoleOf(domain);
  const emulator = textOf(childOf(childOf(domain, 'devices'), 'emulator'));
  return {
    name,
    uuid,
    memoryBytes: memoryOf(domain),
    ...(cpuModel && { cpuModel }),
    ...(emulator && { emulator }),
    ...(onCrash && { onCrash }),
    ...(guestConsole !== undefined && { console: guestConsole }),
    disks: childrenOf(childOf(domain, 'devices'), 'disk').flatMap(disk => diskOf(disk) ?? []),
    files: filesOf(domain),
    metadata: new Map(
      childrenOf(childOf(domain, 'metadata')).flatMap(e => {
        const namespace = namespaceOf(e);
        return namespace === undefined ? [] : [[namespace, e] as const];
      }),
    ),
  };
}

const SECRET_NAME = /pass|secret|token|api_?key|credential/i;
/** A secret's value in an argument of QEMU: `-object secret,id=s,data=…`, or the same as JSON. That a password is asked for is none. */
const SECRET_IN_ARGUMENT =
  /((?:^|,)(?:data=|password=(?!(?:on|off|yes|no|true|false|y|n)(?:,|$))))[^,]*|("(?:data|password)"\s*:\s*)"(?:[^"\\]|\\.)*"/g;

/**
 * Takes away what is secret in an element and all in it.
 * @param cut is told what its start needs and does not have any more
 */
function clean(element: XmlElement, cut: (what: string) => void): XmlElement {
  const { name } = element;
  const attributes = { ...element.attributes };
  // An empty password disables the display; none at all would open it to everybody.
  if (name === 'graphics' && attributes['passwd'] !== undefined) attributes['passwd'] = '';
  const value = attributes['value'];
  if (name === 'qemu:arg' && value !== undefined)
    attributes['value'] = value.replaceAll(SECRET_IN_ARGUMENT, (whole, key?: string, json?: string) => {
      const kept = key ?? `${json}""`;
      if (whole !== kept) cut(`value in a <qemu:arg> (${(key ?? json ?? '').replaceAll(/[^\w-]/g, '')})`);
      return kept;
    });
  if (name === 'qemu:env' && value !== undefined && SECRET_NAME.test(attributes['name'] ?? '')) {
    attributes['value'] = '';
    if (value !== '') cut(`value of <qemu:env name='${attributes['name']}'>`);
  }
  const children = element.children.filter(c => typeof c === 'string' || c.name !== 'cookies');
  if (children.length < element.children.length) cut('cookie of a network disk');
  return { name, attributes, children: children.map(c => (typeof c === 'string' ? c : clean(c, cut))) };
}

/**
 * The definition without passwords of displays, cookies of network disks, and secrets in arguments and environment that are
 * handed to QEMU. Secrets that libvirt keeps itself are only named in a definition.
 * @returns `cut`: what its start needs and does not have any more
 */
export function withoutSecrets(xml: string): { definition: string; cut: string[] } {
  const cut = new Set<string>();
  const definition = writeXml(clean(readDomain(xml), what => cut.add(what)));
  return { definition, cut: [...cut] };
}
