/** @module A whole site: its file, and all that the file names. */
import { dirname, join, resolve } from 'node:path';
import { isStoreUrl, parsePostgresUrl } from '@syndrome/base/store/postgres-url.ts';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { checkFence, type FenceAgent } from '../controller/fence.ts';
import type { AgentPort } from '../controller/listen-tls.ts';
import type { HostId } from '../core/ids.ts';
import type { Api } from '../rest/serve.ts';
import type { Policy } from '../core/policy.ts';
import { checkTarget } from '../notify/deliver.ts';
import { playbooksFault } from '../notify/playbooks.ts';
import type { Target } from '../notify/target.ts';
import { parsePolicy } from '../policy/check.ts';
import { SHIPPED, shippedPolicy } from '../policy/shipped.ts';
import { type AgentSite, agentSiteOf, parseSite, placesOf, readOwned, shardOf, type SitePlaces } from './site-file.ts';

/** One ledger of a site: the whole of it, or a shard. */
export interface Ledger extends SitePlaces {
  shard: string | undefined;
}

/** A site as its file says, with absolute paths. */
export interface Site extends AgentSite {
  /** Its ledgers: one without a name, or each of its shards. */
  ledgers: readonly Ledger[];
  /** The shard of a host, where the site has several. */
  shardOf: (host: HostId) => string | undefined;
  site: string;
  folder: string;
  policy: Policy;
  targets: Target[];
  fences: Readonly<Record<HostId, FenceAgent>>;
  api: Api | undefined;
  /** Where agents of other machines come. */
  agentPort: AgentPort | undefined;
  /** Where the playbooks are that notices name; those of the program where it is missing. */
  playbooks: string | undefined;
  /** In what the site is weaker than it could be, a sentence each. */
  weak: string[];
}

/**
 * The policy that a site names: a shipped one, or a file.
 * @throws PolicyError, UsageError
 */
function policyNamed(text: string, folder: string): Policy {
  const shipped = SHIPPED.find(known => known === text);
  if (shipped !== undefined) return shippedPolicy(shipped);
  const file = resolve(folder, text);
  return parsePolicy(readOwned(file), file);
}

function agentPortOf({ agents }: ReturnType<typeof parseSite>): AgentPort | undefined {
  if (agents === undefined) return undefined;
  const { address, port, ...tls } = agents;
  return { address, port, tls };
}

/** @throws UsageError E_SITE_FILE where a token has two names, or a name two tokens: what two people have to do one could do alone */
function apiOf(file: string, { folder, api }: ReturnType<typeof parseSite>): Api | undefined {
  if (api === undefined) return undefined;
  const wrong = (why: string): UsageError => new UsageError('E_SITE_FILE', `${file}: api: ${why}`);
  const { socket, port, tls, tokens } = api;
  if (socket !== undefined && port !== undefined) throw wrong('it has a socket or a port, not both');
  for (const [i, { name, sha256 }] of tokens.entries()) {
    const before = tokens.slice(0, i);
    if (before.some(t => t.name === name)) throw wrong(`two tokens are named ${name}`);
    if (before.some(t => t.sha256 === sha256)) throw wrong(`the token of ${name} is that of somebody else, too`);
  }
  return {
    ...(tls && { tls }),
    place: port === undefined ? { socket: socket ?? join(folder, 'run/api.sock') } : { port },
    tokens: tokens.map(({ until, ...token }) => ({
      ...token,
      until: until === undefined ? undefined : Date.parse(until),
    })),
  };
}

/**
 * Reads a site's file and all that it names: policy, targets, their secrets.
 * @throws UsageError E_SITE_FILE, PolicyError, NotifyError, ControllerError, StoreError: nothing of it is then begun
 */
export function readSite(file: string): Site {
  const data = parseSite(file);
  const { site, folder, policy, notify, fence, playbooks } = data;
  const targets = notify as Target[];
  const twice = targets.find((t, i) => targets.findIndex(other => other.name === t.name) < i);
  if (twice !== undefined) throw new UsageError('E_SITE_FILE', `${file}: notify: two targets are named ${twice.name}`);
  const fault = playbooks === undefined ? undefined : playbooksFault(playbooks);
  if (fault !== undefined) throw new UsageError('E_SITE_FILE', `${file}: playbooks: ${fault}`);
  const weak = targets.flatMap(target => checkTarget(target) ?? []);
  const shards = data.shards === undefined ? [undefined] : Object.keys(data.shards);
  const ledgers = shards.map(shard => ({ shard, ...placesOf(data, shard) }));
  const at = ledgers[0]?.store.at ?? '';
  if (isStoreUrl(at) && parsePostgresUrl(at).open)
    weak.push('store: what goes to the PostgreSQL and comes from it is not encrypted (sslmode=disable)');
  const fences = fence as Readonly<Record<HostId, FenceAgent>>;
  for (const [host, one] of Object.entries(fences)) checkFence(host, one);
  return {
    site,
    folder,
    policy: policyNamed(policy, dirname(file)),
    targets,
    fences,
    api: apiOf(file, data),
    agentPort: agentPortOf(data),
    playbooks,
    weak,
    ledgers,
    shardOf: host => shardOf(data, host),
    ...agentSiteOf(data),
  };
}
