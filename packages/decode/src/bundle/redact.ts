/**
 * @module Names that lead to a machine, a site or a person, replaced by others, the same name always by the same. Physical addresses and
 * registers stay: without them nothing can be decoded; the protected processor number (PPIN) is a serial number and goes.
 */
import { NOTIFICATION_NAMES, SECTION_NAMES, GUID_NULL } from '../cper/guid.ts';
import { HOST_OF_LINE, isNoHost } from '../decode/host.ts';
import { dataOf, recordOf } from '../decode/transfer.ts';
import type { DecodedRecord } from '../decode/record.ts';

type IdentityKind = 'host' | 'user' | 'serial' | 'uuid' | 'mac' | 'ip';

/** Words that stand for names: who is called so stays. */
const KINDS = /^(?:host|user|serial|uuid|mac|ip)$/i;
const NO_USER = /^(?:root|user|users|public|default|all users|shared|lost\+found)$/i;
const SYSLOG = new RegExp(HOST_OF_LINE, 'gm');
const JOURNAL = /"?_HOSTNAME"?\s?[=:]\s?"?([A-Za-z0-9][\w.-]{0,252})/g;
const UNAME = /^Linux ([A-Za-z0-9][\w.-]{0,252}) \d{1,2}\.\d{1,3}\.\S{1,64} #\d/gm;
/** Names that archives of support tools have: `sosreport-HOST-2026-…`, `scc_HOST_260203_1200`, `nts_HOST_…`. */
const ARCHIVE =
  /(?:^|[/:])(?:sosreport-|scc_|nts_)([A-Za-z0-9][A-Za-z0-9.-]{0,252}?)(?=[-_.](?:\d{4,}|tar|t[gx]z)|[/:]|$)/gm;

const UUID = /(?<![0-9a-f])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-f])/gi;
const MAC =
  /(?<![0-9a-f:-])(?:(?:[0-9a-f]{2}:){5}[0-9a-f]{2}|(?:[0-9a-f]{2}-){5}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4})(?![0-9a-f:-])/gi;
const IPV6 =
  /(?<![0-9a-z:.])(?:(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6}|(?:[0-9a-f]{1,4}:){2,7}:|::(?:[0-9a-f]{1,4}:){1,6}[0-9a-f]{1,4})(?![0-9a-z:.])/gi;
const IPV4 = /(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.]*\d)/g;
const HOME =
  /(?<=(?:^|[^\w])(?:\/(?:home|Users)\/|[A-Za-z]:\\(?:Users|Documents and Settings)\\))([^/\\\s:'"<>|]{1,64})/g;
const AT = /(?<![\w.+-])([A-Za-z][\w.+-]{0,63})@([A-Za-z0-9][A-Za-z0-9.-]{0,252}[A-Za-z0-9])/g;
const DOMAIN =
  /(?<![\w.@/-])(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}(?:com|net|org|edu|gov|mil|int|info|biz|io|local|localdomain|internal|intranet|intra|lan|corp|home|cloud|arpa|example|test|de|uk|fr|nl|ch|at|eu|us|ca|au|jp|cn|in|br|ru|se|no|fi|dk|pl|it|es|be|cz|kr|sg|nz)(?![\w-]|\.\w)/gi;
const SERIAL =
  /\b((?:serial(?: ?(?:number|no\.?|num))?|s\/n|asset ?tag|service ?tag|chip_serial_number|snr)["']?\s{0,2}[:=#]\s{0,2}["']?)([A-Za-z0-9][\w.-]{2,63})/gi;

/** Members whose values are words of this program, not of the input. */
const OWN_WORDS: ReadonlySet<string> = new Set([
  'kind',
  'type',
  'severity',
  'from',
  'code',
  'name',
  'vendor',
  'within',
  'form',
  'bytesOf',
  'table',
  'notificationType',
]);
/** Members that are serial numbers whatever they look like. */
const SERIALS: ReadonlySet<string> = new Set(['serial', 'serialNumber', 'chipSerialNumber', 'chip_serial_number']);
/** Members that name a VM or a machine. */
const HOSTS: ReadonlySet<string> = new Set(['domain', 'vm', 'hostname']);
const MAX_NAMES = 10_000;
const ZEROS = '00000000-0000-0000-0000-';

/** What stands for the nth of a kind: of the same form where a reader asks for one. */
function pseudonym(kind: IdentityKind, n: number): string {
  return kind === 'uuid' ? `${ZEROS}${n.toString(16).padStart(12, '0')}` : `${kind}-${n}`;
}

const isKnownGuid = (guid: string): boolean =>
  guid === GUID_NULL ||
  guid.startsWith(ZEROS) ||
  Object.hasOwn(SECTION_NAMES, guid) ||
  Object.hasOwn(NOTIFICATION_NAMES, guid);

/**
 * Replaces names in text and records. What it is told, and what it has seen once, it knows from then on.
 *
 * @example
 * const redactor = new Redactor();
 * redactor.learnFrom('Nov 28 20:58:07 db1 kernel: Linux version 6.1\n');
 * redactor.text('db1.log, 10.0.0.7 and again db1') // 'host-1.log, ip-1 and again host-1'
 */
export class Redactor {
  /** By kind and name. */
  readonly #names = new Map<string, string>();
  /** All that stands for a name. */
  readonly #given = new Set<string>();
  readonly #counts = new Map<IdentityKind, number>();
  /** Names to look for, in lower case, and what kind they are. */
  readonly #learnt = new Map<string, IdentityKind>();
  readonly #ppins = new Map<bigint, bigint>();
  #learntRe: RegExp | undefined;
  #rest = '';

  /** A name that is known to be one, wherever it stands. */
  learn(kind: IdentityKind, name: string): void {
    const word = name.trim();
    if (word.length < 2 || word.length > 253 || this.#learnt.size >= MAX_NAMES) return;
    if (KINDS.test(word) || (kind === 'host' && isNoHost(word))) return;
    if (kind === 'user' && NO_USER.test(word)) return;
    if (kind === 'host' && word.includes('.') && !/^[\d.]+$/.test(word))
      this.learn('host', word.slice(0, word.indexOf('.')));
    const key = word.toLowerCase();
    if (this.#learnt.has(key)) return;
    this.#learnt.set(key, kind);
    this.#learntRe = undefined;
  }

  /** Looks in a piece of input for names that stand where one is known to stand; a line may go on in the next piece. */
  learnFrom(piece: string): void {
    const text = this.#rest + piece;
    const end = text.lastIndexOf('\n') + 1;
    this.#rest = text.slice(end).slice(-4096);
    const lines = text.slice(0, end);
    for (const re of [SYSLOG, JOURNAL, UNAME]) for (const [, name = ''] of lines.matchAll(re)) this.learn('host', name);
    for (const [, name = ''] of lines.matchAll(HOME)) this.learn('user', name);
  }

  /** What the name of a file or an archive says of the machine. */
  learnFromName(name: string): void {
    for (const [, host = ''] of name.matchAll(ARCHIVE)) this.learn('host', host);
    for (const [, user = ''] of name.matchAll(HOME)) this.learn('user', user);
  }

  /** A file that holds the name of the machine and little else: `hostname`, `uname -a`, /etc/hosts. */
  learnFromHost(path: string, text: string): void {
    this.learnFrom(`${text}\n`);
    if (path.endsWith('hostname')) this.learn('host', text.trim().split(/\s/)[0] ?? '');
    if (!path.endsWith('hosts')) return;
    for (const line of text.split('\n')) {
      for (const name of line.replace(/#.*$/, '').trim().split(/\s+/).slice(1)) this.learn('host', name);
    }
  }

  /** The text without the names. */
  text(text: string): string {
    const before = this.#learnt.size;
    const clean = this.#patterns(text, 0);
    // A name may stand before the place that tells that it is one.
    return this.#learnt.size === before ? clean : this.#words(clean);
  }

  /** The record as it would be had its input not held the names. */
  record(record: DecodedRecord): DecodedRecord {
    const data = dataOf(record);
    return recordOf({
      ...data,
      ...(this.#deep({
        raw: data.raw,
        source: data.source,
        diagnostics: data.diagnostics,
        dimm: data.dimm,
      }) as typeof data),
    });
  }

  readonly #rules: readonly (readonly [RegExp, (match: string, ...groups: string[]) => string])[] = [
    [UUID, match => (isKnownGuid(match.toLowerCase()) ? match : this.#of('uuid', match))],
    [MAC, match => this.#of('mac', match)],
    [IPV6, match => (/[0-9a-f]{2}/i.test(match) ? this.#of('ip', match) : match)],
    [IPV4, match => (/^(?:0|127)\./.test(match) ? match : this.#of('ip', match))],
    [
      SERIAL,
      (_match, before, value) => (NO_VALUE.test(value) ? `${before}${value}` : `${before}${this.#of('serial', value)}`),
    ],
    [AT, (_match, user, host) => `${NO_USER.test(user) ? user : this.#of('user', user)}@${this.#host(host)}`],
    [HOME, match => (NO_USER.test(match) ? match : this.#of('user', match))],
    [DOMAIN, match => this.#host(match)],
  ];

  #patterns(text: string, rule: number): string {
    const next = this.#rules[rule];
    if (next === undefined) return this.#words(text);
    const [re, replaced] = next;
    let out = '';
    let at = 0;
    for (const match of text.matchAll(re)) {
      const [whole, ...groups] = match as unknown as string[];
      out += this.#patterns(text.slice(at, match.index), rule + 1) + replaced(whole ?? '', ...groups);
      at = match.index + (whole ?? '').length;
    }
    return at === 0 ? this.#patterns(text, rule + 1) : out + this.#patterns(text.slice(at), rule + 1);
  }

  /** Names that were learnt, each as a word of its own. */
  #words(text: string): string {
    if (this.#learnt.size === 0 || text === '') return text;
    this.#learntRe ??= new RegExp(
      `(?<![A-Za-z0-9])(?:${[...this.#learnt.keys()]
        .toSorted((a, b) => b.length - a.length)
        .map(name => name.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&'))
        .join('|')})(?![A-Za-z0-9])`,
      'gi',
    );
    return text.replace(this.#learntRe, match => {
      const kind = this.#learnt.get(match.toLowerCase()) ?? 'host';
      return kind === 'host' ? this.#host(match) : this.#of(kind, match);
    });
  }

  /** A machine has one name, with its domain or without. */
  #host(name: string): string {
    return isNoHost(name) ? name : this.#of('host', name.split('.')[0] ?? name);
  }

  #of(kind: IdentityKind, name: string): string {
    const key = `${kind} ${name.toLowerCase()}`;
    let known = this.#names.get(key);
    if (known === undefined) {
      // What was written by this very redactor.
      if (this.#given.has(name)) return name;
      let n = this.#counts.get(kind) ?? 0;
      do known = pseudonym(kind, ++n);
      while (this.#learnt.has(known));
      this.#counts.set(kind, n);
      this.#names.set(key, known);
      this.#given.add(known);
      // Where it stands without what it was known by, it is the same name.
      if (kind !== 'uuid') this.learn(kind, name);
    }
    return known;
  }

  #ppin(value: bigint): bigint {
    if (value === 0n) return value;
    const known = this.#ppins.get(value) ?? BigInt(this.#ppins.size + 1);
    this.#ppins.set(value, known);
    return known;
  }

  /** All text of a value, and of what it holds. */
  #deep(value: unknown, member = ''): unknown {
    if (typeof value === 'string') {
      if (value === '' || OWN_WORDS.has(member)) return value;
      if (SERIALS.has(member)) return this.#of('serial', value);
      if (HOSTS.has(member)) return this.#of('host', value);
      return this.text(value);
    }
    if (typeof value === 'bigint') return member === 'ppin' ? this.#ppin(value) : value;
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
    if (Array.isArray(value)) return value.map(one => this.#deep(one, member));
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, this.#deep(one, name)]));
  }
}

const NO_VALUE = /^(?:0x)?0*$|^(?:number|unknown|none|not|n)$/i;
