import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { supplyError } from './errors.ts';

/** One source of binary packages as the machine's apt is configured with it (sources.list(5)). */
export interface DebianSource {
  uri: string;
  suites: string[];
  components: string[];
  /** Options of the entry, by lower-case deb822 name: `signed-by`, `trusted`, `check-valid-until`, … */
  options: Record<string, string>;
  /** File and line, for messages. */
  where: string;
}

const wordsOf = (text: string): string[] => text.split(/\s+/).filter(word => word !== '');

/** Parses the one-line format: `deb [option=value …] uri suite component…`. Other lines are ignored. */
export function parseOneLine(text: string, file: string): DebianSource[] {
  const sources: DebianSource[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = (raw.split('#', 1)[0] ?? '').trim();
    const head = /^deb\s+(?:\[([^\]]*)\]\s+)?/.exec(line);
    const [uri, suite, ...components] = wordsOf(line.slice(head?.[0].length));
    if (!head || uri === undefined || suite === undefined) continue;
    const options: Record<string, string> = {};
    for (const option of wordsOf(head[1] ?? '')) {
      const equals = option.indexOf('=');
      if (equals > 0) {
        const name = option.slice(0, equals).replace(/[+-]$/, '').toLowerCase();
        options[name] = option
          .slice(equals + 1)
          .replaceAll(',', ' ')
          .trim();
      }
    }
    sources.push({
      uri,
      suites: [suite],
      components,
      options,
      where: `${file}:${index + 1}`,
    });
  }
  return sources;
}

/** Parses the deb822 format: stanzas with Types, URIs, Suites, Components; a disabled stanza is left out. */
export function parseDeb822(text: string, file: string): DebianSource[] {
  const sources: DebianSource[] = [];
  let fields = new Map<string, string>();
  let start = 1;
  let last = '';
  const flush = (): void => {
    const words = (name: string): string[] => wordsOf(fields.get(name) ?? '');
    const enabled = !/^(?:no|false|0|off|without|disable)$/i.test(fields.get('enabled')?.trim() ?? 'yes');
    if (enabled && words('types').includes('deb')) {
      const options: Record<string, string> = {};
      for (const [name, value] of fields) {
        if (!['types', 'uris', 'suites', 'components', 'enabled'].includes(name)) options[name] = value.trim();
      }
      // Shared by all addresses of the stanza: one may name many of each.
      const shared = { suites: words('suites'), components: words('components'), options, where: `${file}:${start}` };
      for (const uri of words('uris')) sources.push({ uri, ...shared });
    }
    fields = new Map();
    last = '';
  };
  for (const [index, line] of text.split('\n').entries()) {
    if (line.startsWith('#')) continue;
    if (line.trim() === '') {
      flush();
      continue;
    }
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trimEnd();
    if (/^\s/.test(line)) {
      if (last !== '') fields.set(last, `${fields.get(last) ?? ''}\n${line}`);
    } else if (/^[A-Za-z0-9-]+$/.test(name)) {
      if (fields.size === 0) start = index + 1;
      last = name.toLowerCase();
      fields.set(last, line.slice(colon + 1).trimStart());
    }
  }
  flush();
  return sources;
}

/** Every enabled binary source of an apt configuration folder (`/etc/apt`), in apt's reading order. */
export function readMachineSources(etcApt = '/etc/apt'): DebianSource[] {
  const sources: DebianSource[] = [];
  const read = (path: string, parse: typeof parseOneLine): void => {
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch {
      return; // absent or unreadable: apt would not use it for this user either
    }
    sources.push(...parse(text, path));
  };
  read(join(etcApt, 'sources.list'), parseOneLine);
  let names: string[] = [];
  try {
    names = readdirSync(join(etcApt, 'sources.list.d')).sort();
  } catch {
    // no such folder
  }
  for (const name of names) {
    const path = join(etcApt, 'sources.list.d', name);
    if (name.endsWith('.sources')) read(path, parseDeb822);
    else if (name.endsWith('.list')) read(path, parseOneLine);
  }
  return sources;
}

/** Suite names of the Debian archive: code names and the moving names, with the suffixes of the same archive. */
const MAIN_SUITE =
  /^(?:buster|bullseye|bookworm|trixie|forky|duke|sid|unstable|testing|stable|oldstable|oldoldstable)(?:-updates|-backports|-proposed-updates)?$|^(?:experimental|rc-buggy)$/;

/** A mirror to take packages from: its address and how apt is to trust it. */
export interface Mirror {
  uri: string;
  /** The address as it may be shown: without user name and password. */
  label: string;
  /** Value of Signed-By (a file or an embedded key), or undefined for the keys that apt trusts by itself. */
  signedBy: string | undefined;
  /** Other options of the machine's entry that are kept (trusted, check-valid-until, …). */
  options: Record<string, string>;
  /** Who chose it, for messages. */
  where: string;
}

/** Options of the machine's entry that say how far it is trusted; languages, targets and architectures are ours. */
const KEPT_OPTIONS = [
  'trusted',
  'check-valid-until',
  'valid-until-max',
  'valid-until-min',
  'check-date',
  'allow-insecure',
  'allow-weak',
];

const [PLAIN, DEBIAN, SERVES] = [4, 2, 1];

/** What the addresses of a stanza are worth: 0 when they do not serve the main Debian archive. */
function stanzaScore({ components, suites, options }: DebianSource): number {
  const served = suites.filter(suite => MAIN_SUITE.test(suite));
  if (!components.includes('main') || served.length === 0) return 0;
  const plain = served.some(suite => !suite.includes('-'));
  const debian = (options['signed-by'] ?? '').includes('debian-archive');
  return SERVES | (plain ? PLAIN : 0) | (debian ? DEBIAN : 0);
}

/**
 * Chooses the entry that serves the main Debian archive (not security updates, not third parties): a Debian suite name
 * with component `main`. Plain suites are preferred to `-updates` and `-backports`. Undefined when there is none.
 */
export function chooseMirror(sources: readonly DebianSource[], defaultKeyring: string | undefined): Mirror | undefined {
  let best: { source: DebianSource; score: number } | undefined;
  // The addresses of one stanza share all but themselves: what they share is looked at once.
  const scores = new Map<DebianSource['options'], number>();
  for (const source of sources) {
    if (/security/.test(source.uri) || source.uri.startsWith('cdrom:')) continue;
    const { options } = source;
    const stanza = scores.get(options) ?? stanzaScore(source);
    scores.set(options, stanza);
    if (stanza === 0) continue;
    const score = stanza | (/\/debian\/?$/.test(source.uri) ? DEBIAN : 0);
    if (best === undefined || score > best.score) best = { source, score };
  }
  if (best === undefined) return undefined;
  const { source } = best;
  const options: Record<string, string> = {};
  for (const name of KEPT_OPTIONS) if (source.options[name] !== undefined) options[name] = source.options[name];
  return {
    uri: source.uri,
    label: mirrorLabel(source.uri),
    signedBy: source.options['signed-by'] ?? defaultKeyring,
    options,
    where: source.where,
  };
}

/** An address without the user name and password that it may carry; these may hold an `@`, a host cannot. */
export function mirrorLabel(uri: string): string {
  return uri.replace(/\/\/[^/]*@/, '//');
}

/** Checks a mirror named by the user: an absolute address of a kind apt can read, without white space. */
export function checkMirrorUri(uri: string, where: string): string {
  if (!/^(?:https?|ftp|file|copy|mirror\+[a-z]+|tor\+https?|s3|ar\+https?):\/?\/?[^\s"]+$/.test(uri)) {
    throw supplyError('E_SUPPLY_NO_MIRROR', `${where} is not the address of a Debian mirror: ${uri}`, {
      hint: 'Give an address such as http://HOST/debian.',
    });
  }
  return uri;
}
