/**
 * @module The operator's file: one site, who is told, by which policy, and what this host is. An agent reads no more than this:
 * neither policies nor what sends notices is loaded into it.
 */
import { closeSync, fstatSync, type Stats } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { openInput, readInput } from '@syndrome/base/disk/input-file.ts';
import { messageOf, UsageError } from '@syndrome/decode/common/errors.ts';
import type { StorePlace } from '@syndrome/base/store/open.ts';
import { type AgentConfig, agentConfigSchema, controllerPortSchema, QEMUS } from '../agent/config.ts';
import { ROLES } from '../rest/roles.ts';

const MAX_FILE = 256 * 1024;
const name = z.string().regex(/^[\w.-]{1,63}$/);
const path = z.string().min(1).max(4096);
const whole = path.startsWith('/', 'a whole path, from / on');
const types = z
  .array(z.string().regex(/^[a-z.-]+\*?$/))
  .max(64)
  .optional();
/** The name of an option of a fence agent. */
const option = z.string().regex(/^[\w-]{1,64}$/);
const json: z.ZodType = z.lazy(() =>
  z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(json), z.record(z.string(), json)]),
);

const targetSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('log').describe('a line on standard output'), name, types }),
  z.strictObject({
    kind: z.literal('hook').describe('a program: argv, no shell; the notice on its standard input'),
    name,
    types,
    argv: z.tuple([path], path),
    deadlineMs: z.int().min(1).max(600_000).optional(),
  }),
  z.strictObject({
    kind: z.literal('webhook').describe('CloudEvents over HTTP, signed as Standard Webhooks says'),
    name,
    types,
    url: z.string().max(2048),
    secretFiles: z.array(path).min(1).max(2).describe('two while one replaces the other, newest first'),
    allow: z.array(z.string().max(64)).max(32).optional().describe('networks that are not public and may be reached'),
    deadlineMs: z.int().min(1).max(600_000).optional(),
    body: json.optional().describe('sent in the place of the CloudEvent; {words} are filled in'),
  }),
]);

/** Of an agent; what it keeps lies in the folder of the site, and its controller is that of the site, unless it says otherwise. */
const siteAgentSchema = agentConfigSchema.extend({
  folder: whole.optional(),
  controller: z.union([whole, controllerPortSchema]).optional(),
  drill: whole.optional().describe('a file in which the injector of a drill says what it does; leave it out elsewhere'),
  start: z
    .strictObject({
      folder: whole.optional(),
      logs: whole.optional(),
      programs: z
        .array(whole)
        .max(64)
        .default([...QEMUS]),
    })
    .prefault({}),
});

/** The API of a controller, and who may ask it. */
const apiSchema = z.strictObject({
  socket: whole.optional().describe('a unix socket; by default run/api.sock in the folder of the site'),
  port: z.int().min(1).max(65_535).optional().describe('a port of 127.0.0.1, in the place of a socket'),
  tls: z
    .strictObject({
      address: z.string().min(1).max(255).default('::').describe('of this machine; all of them by default'),
      port: z.int().min(1).max(65_535),
      cert: whole.describe('a certificate with the names by which it is asked, and those up to its authority, PEM'),
      key: whole.describe('its key, mode 0600'),
    })
    .optional()
    .describe('for other machines, beside the socket or the port of this one; without it they reach it by ssh -L'),
  tokens: z
    .array(
      z.strictObject({
        name: name.describe('of the person or program that has it: it stands in the audit'),
        roles: z.array(z.enum(ROLES)).min(1).max(ROLES.length),
        sha256: z
          .string()
          .regex(/^[0-9a-f]{64}$/)
          .describe('of the token: `syndrome api token NAME` makes both'),
        until: z.iso.datetime().optional().describe('good before this (UTC, 2027-01-31T00:00:00Z)'),
      }),
    )
    .min(1)
    .max(1000),
});

/** Where agents of other machines come, and with what the controller shows who it is. */
const agentsSchema = z.strictObject({
  address: z.string().min(1).max(255).default('::').describe('of this machine; all of them by default'),
  port: z.int().min(1).max(65_535),
  ca: whole.describe('the authority of the site, PEM'),
  cert: whole.describe('the certificate of the controller, with the name that agents ask for'),
  key: whole.describe('its key, mode 0600'),
  crl: whole.optional().describe('certificates that were called back, PEM'),
});

/** Of a large site: hosts whose ledger is one, and which one controller at a time works on. */
const shardSchema = z.strictObject({
  hosts: z
    .array(z.string().regex(/^[\w.*-]{1,256}$/))
    .min(1)
    .max(1000)
    .describe('names of hosts; * stands for any characters. The first shard that has a pattern for a host takes it'),
});

const siteSchema = z.strictObject({
  site: name.default('site').describe('its name in notices'),
  folder: path.describe('an absolute path: ledger, spool and sockets lie below it, for this user alone'),
  store: z
    .union([
      path.regex(/^(?:\/|postgres(?:ql)?:\/\/)/, 'a whole path, from / on, or postgresql://USER@HOST/DATABASE'),
      z.strictObject({
        url: path.regex(/^postgres(?:ql)?:\/\//, 'postgresql://USER@HOST/DATABASE'),
        passwordFile: whole.describe('of mode 0600, with the password; else a PGPASSFILE is looked at'),
      }),
    ])
    .optional()
    .describe('where the ledger is: a file, by default in the folder of the site, or a PostgreSQL from 15 on'),
  shards: z
    .record(z.string().regex(/^[a-z][a-z\d_]{0,31}$/), shardSchema)
    .refine(shards => Object.keys(shards).length > 0, 'it names none')
    .optional()
    .describe(
      'parts of a large site by name, each with its own ledger; several controllers share them among each other',
    ),
  policy: z.string().max(4096).default('observe').describe('observe, notify, protect, or the path of a policy file'),
  playbooks: z
    .string()
    .max(2048)
    .optional()
    .describe('where the playbooks are that notices name: an https URL or an absolute path; it is never fetched'),
  notify: z
    .array(targetSchema)
    .max(32)
    .default([{ kind: 'log', name: 'log' }]),
  fence: z
    .record(
      z.string().min(1).max(256),
      z.strictObject({
        argv: z
          .tuple([whole], path)
          .describe('a fence agent of ClusterLabs, or a program that speaks as they do; no shell'),
        options: z
          .record(
            option,
            z
              .string()
              .max(1024)
              .regex(/^[^\r\n]*$/),
          )
          .default({})
          .describe('of the agent, by name: ip, username, plug'),
        secretFiles: z
          .record(option, path)
          .default({})
          .describe('options that are secrets: files of mode 0600, as password: FILE'),
      }),
    )
    .default({})
    .describe('how the controller switches each host off, and reads that it is'),
  agents: agentsSchema.optional().describe('a port for agents of other machines, over TLS; without it there is none'),
  api: apiSchema.optional().describe('HTTP for programs and pages; without it there is none'),
  agent: siteAgentSchema.optional().describe('what is watched on this host'),
});

/** A site's file as data, checked. */
type SiteData = z.infer<typeof siteSchema>;

/** Where the ledger and the sockets of a controller are. */
export interface SitePlaces {
  sockets: { agents: string; admin: string };
  store: StorePlace;
}

/**
 * Where things of a site lie: in its folder, but for a store that has a place of its own.
 * @param shard the part of the site, where it has several
 */
export function placesOf({ folder, store }: Pick<SiteData, 'folder' | 'store'>, shard?: string): SitePlaces {
  const run = join(folder, 'run', shard ?? '');
  return {
    sockets: { agents: join(run, 'agents.sock'), admin: join(run, 'admin.sock') },
    store: ledgerOf(folder, store, shard),
  };
}

function ledgerOf(folder: string, store: SiteData['store'], shard: string | undefined): StorePlace {
  const file = `${shard ?? 'ledger'}.sqlite`;
  if (store === undefined) return { at: join(folder, 'ledger', file) };
  const schema = shard === undefined ? {} : { schema: `shard_${shard}` };
  if (typeof store === 'object') return { at: store.url, passwordFile: store.passwordFile, ...schema };
  if (!store.startsWith('/')) return { at: store, ...schema };
  // A file is that of the site; of several ledgers it is the folder.
  return { at: shard === undefined ? store : join(store, file) };
}

/** The part of a site to which a host belongs; undefined where no pattern is for it, or the site has no parts. */
export function shardOf({ shards = {} }: Pick<SiteData, 'shards'>, host: string): string | undefined {
  const fits = (pattern: string): boolean =>
    new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`, 's').test(host);
  return Object.entries(shards).find(([, { hosts }]) => hosts.some(fits))?.[0];
}

/** The text of a file. It names programs that are started, so that nobody but its owner may write to it. @throws UsageError E_SITE_FILE */
export function readOwned(file: string): string {
  try {
    const fd = openInput(file);
    let stats: Stats;
    try {
      stats = fstatSync(fd);
    } finally {
      closeSync(fd);
    }
    if ((stats.mode & 0o022) !== 0 || (stats.uid !== 0 && stats.uid !== process.geteuid?.()))
      throw new UsageError('E_SITE_FILE', `others may write to ${file}`, {
        hint: `chown it to root or yourself, and chmod go-w ${file}.`,
      });
    return readInput(file, MAX_FILE).toString();
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError('E_SITE_FILE', `cannot read ${file}: ${messageOf(cause)}`, {
      cause,
      hint: 'Name the file of your site with --config.',
    });
  }
}

/** The file as data. @throws UsageError E_SITE_FILE */
export function parseSite(file: string): SiteData {
  let data: unknown;
  try {
    data = parse(readOwned(file), { version: '1.2', stringKeys: true, maxAliasCount: 0 });
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError('E_SITE_FILE', `${file} is no YAML: ${messageOf(cause)}`, { cause });
  }
  const parsed = siteSchema.safeParse(data ?? {});
  if (!parsed.success) throw new UsageError('E_SITE_FILE', `${file}: ${z.prettifyError(parsed.error)}`);
  if (isAbsolute(parsed.data.folder)) return parsed.data;
  throw new UsageError('E_SITE_FILE', `${file}: folder: ${parsed.data.folder} is no absolute path`);
}

/**
 * Where the things of a site lie.
 * @param shard its part, where it has several
 * @throws UsageError E_SITE_FILE, E_SITE_SHARD
 */
export function readPlaces(file: string, shard?: string): SitePlaces {
  const data = parseSite(file);
  const all = Object.keys(data.shards ?? {});
  const wrong = (why: string, hint: string): UsageError => new UsageError('E_SITE_SHARD', `${file}: ${why}`, { hint });
  if (all.length === 0) {
    if (shard !== undefined) throw wrong(`the site has no shard ${shard}`, 'It is one ledger: leave --shard out.');
    return placesOf(data);
  }
  const known = `Its shards: ${all.join(', ')}.`;
  const [only] = all.length === 1 ? all : [shard];
  if (only === undefined) throw wrong('the site has several shards', `Name one with --shard. ${known}`);
  if (!all.includes(shard ?? only)) throw wrong(`the site has no shard ${shard}`, known);
  return placesOf(data, shard ?? only);
}

/**
 * Where the API of a ledger is, as its client takes it.
 * @param shard its part, where the site has several
 * @throws UsageError E_SITE_FILE, E_SITE_SHARD
 */
export function readApiPlace(file: string, shard?: string): { at: string; below: string } {
  const { api, folder, shards } = parseSite(file);
  if (api === undefined)
    throw new UsageError('E_SITE_FILE', `${file}: the site has no API`, {
      hint: 'Give it one, with a token for each person: api:',
    });
  readPlaces(file, shard);
  const [only] = Object.keys(shards ?? {});
  return {
    at: api.port === undefined ? (api.socket ?? join(folder, 'run/api.sock')) : `http://127.0.0.1:${api.port}`,
    below: only === undefined ? '' : `/shards/${shard ?? only}`,
  };
}

/** What the agent of a host needs of its site's file; neither policy nor targets, which are the controller's. */
export interface AgentSite {
  agent: AgentConfig | undefined;
  /** Where the injector of a drill says what it does. */
  drill: string | undefined;
}

/** The agent's part of a site's file. @throws UsageError E_SITE_FILE */
export function readAgentSite(file: string): AgentSite {
  return agentSiteOf(parseSite(file));
}

/** The agent's part of what `parseSite` has read. */
export function agentSiteOf({ folder, agent, shards }: SiteData): AgentSite {
  if (agent === undefined) return { agent, drill: undefined };
  const shard = shardOf({ shards }, agent.host);
  // At another machine the controller says it.
  if (shards !== undefined && shard === undefined && agent.controller === undefined)
    throw new UsageError('E_SITE_SHARD', `agent: no shard of the site takes the host ${agent.host}`, {
      hint: `Give one of its shards (${Object.keys(shards).join(', ')}) a pattern for that name.`,
    });
  return { agent: agentIn(folder, placesOf({ folder }, shard), agent), drill: agent.drill };
}

function agentIn(folder: string, { sockets }: SitePlaces, given: z.infer<typeof siteAgentSchema>): AgentConfig {
  const { start, drill: _, ...rest } = given;
  return {
    ...rest,
    folder: given.folder ?? join(folder, 'agent'),
    controller: given.controller ?? sockets.agents,
    start: { ...start, folder: start.folder ?? join(folder, 'vms'), logs: start.logs ?? join(folder, 'logs') },
  };
}

/** The JSON Schema of a site's file, for editors. */
export const siteJsonSchema = (): unknown => z.toJSONSchema(siteSchema, { io: 'input', unrepresentable: 'any' });
