/**
 * @module Where a PostgreSQL is, as libpq writes it: postgresql://user@host:port,host:port/database?parameter=value
 * (postgresql.org/docs/current/libpq-connect.html, 34.1.1.2). A password stands in a file, never in the URL: that is seen in lists of
 * processes and in logs.
 */
import { userInfo } from 'node:os';
import { StoreError } from './errors.ts';

/** One of several servers; a host from `/` on is the folder of a socket. */
interface PostgresHost {
  host: string;
  port: number;
}

export interface PostgresPlace {
  /** Asked in this order: the first that can be written to is the one. */
  hosts: readonly PostgresHost[];
  user: string;
  database: string;
  /** Files of certificates; undefined where nothing is encrypted. */
  tls: { ca?: string; cert?: string; key?: string } | undefined;
  /** All of it in one line, for people; nothing in it is secret. */
  label: string;
  /** What goes over a network can be read there. */
  open: boolean;
}

const PORT = 5432;
/** Where Debian's servers have their sockets. */
export const SOCKET_FOLDER = '/var/run/postgresql';
const MAX_HOSTS = 16;
/** This machine. */
const NEAR = /^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/;
/** Parameters of libpq that mean something here. */
const KNOWN = [
  'host',
  'port',
  'user',
  'dbname',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'target_session_attrs',
] as const;

/** Whether a text is meant for a URL, and names no file: one of another kind is refused, and not shown, since a password may be in it. */
export const isStoreUrl = (text: string): boolean => /^(?:[a-z][a-z\d+.-]*:\/\/|postgres(?:ql)?:)/i.test(text);

/**
 * Takes a URL apart.
 * @throws StoreError E_STORE_OPEN: a password is in it, a parameter is unknown or would weaken what the store promises
 * @example parsePostgresUrl('postgresql://syndrome@db1,db2/ledger').hosts // db1 and db2, port 5432 each
 */
export function parsePostgresUrl(text: string): PostgresPlace {
  const [, account = '', hosts = '', path = '', search = ''] =
    /^postgres(?:ql)?:\/\/(?:([^@/?]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/is.exec(text) ?? wrong('it is no such URL');
  if (/[\p{Cc}\s#]/u.test(text)) wrong('it has a blank, a # or a control character; write it with %');
  if (account.includes(':')) throw password();
  const given = new Map<string, string>();
  for (const part of search.split('&').filter(p => p !== '')) {
    const [name = '', value = ''] = part.split(/=(.*)/s, 2).map(decoded);
    if (name === 'password' || name === 'passfile') throw password();
    if (!KNOWN.some(known => known === name)) wrong(`its parameter ${name} is unknown; known are ${KNOWN.join(', ')}`);
    given.set(name, value);
  }
  const attributes = given.get('target_session_attrs') ?? 'read-write';
  if (attributes !== 'read-write' && attributes !== 'primary')
    wrong(`target_session_attrs=${attributes}: a store is on a server that can be written to`);
  const user = given.get('user') ?? (decoded(account) || userInfo().username);
  const database = given.get('dbname') ?? (decoded(path) || user);
  const list = hostsOf(given.get('host') ?? decoded(hosts), given.get('port'));
  const near = list.every(({ host }) => host.startsWith('/') || NEAR.test(host));
  const tls = tlsOf(given, near);
  const place = { hosts: list, user, database, tls, open: !near && tls === undefined };
  const shown = list.map(({ host, port }) => (host.startsWith('/') ? host : `${bracketed(host)}:${port}`));
  return { ...place, label: `PostgreSQL ${user}@${shown.join(',')}/${database}` };
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

function hostsOf(hosts: string, ports: string | undefined): PostgresHost[] {
  const names = hosts === '' ? [SOCKET_FOLDER] : hosts.split(',');
  const all = ports?.split(',') ?? [];
  if (names.length > MAX_HOSTS) wrong(`more than ${MAX_HOSTS} hosts`);
  if (all.length > 1 && all.length !== names.length) wrong('it has another number of ports than of hosts');
  return names.map((name, i) => {
    const [, inner, plain, own] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d+))?$/.exec(name) ?? wrong(`${name} is no host`);
    const port = Number(own ?? all[all.length > 1 ? i : 0] ?? PORT);
    if (!(Number.isInteger(port) && port > 0 && port < 65_536)) wrong(`${port} is no port`);
    return { host: inner ?? plain ?? '', port };
  });
}

/** On a socket and to this machine nothing has to be encrypted; elsewhere it is, and the server shows who it is. */
function tlsOf(given: ReadonlyMap<string, string>, near: boolean): PostgresPlace['tls'] {
  const mode = given.get('sslmode') ?? (near ? 'disable' : 'verify-full');
  if (mode === 'disable') return undefined;
  if (mode !== 'verify-full')
    wrong(`sslmode=${mode}: it is verify-full, with sslrootcert=FILE for an authority of your own, or disable`);
  const tls: { ca?: string; cert?: string; key?: string } = {};
  for (const [name, member] of [
    ['sslrootcert', 'ca'],
    ['sslcert', 'cert'],
    ['sslkey', 'key'],
  ] as const) {
    const file = given.get(name);
    if (file !== undefined) tls[member] = file;
  }
  return tls;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return wrong('a % in it is not followed by two hex digits');
  }
}

/** The text is not repeated: a password may be in it, in whatever wrong form. */
function wrong(why: string): never {
  throw new StoreError('E_STORE_OPEN', `the URL of the store cannot be used: ${why}`, {
    hint: 'postgresql://USER@HOST[,HOST…]/DATABASE, or postgresql://USER@/DATABASE?host=FOLDER-OF-THE-SOCKET',
  });
}

const password = (): StoreError =>
  new StoreError('E_STORE_OPEN', 'the URL of the store has a password in it, which others see', {
    hint: 'Put it into a file of mode 0600 that the site or --password-file names, or into a PGPASSFILE.',
  });
