/** A controller with its ledger, and a customer that is told, on this machine. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { receive, type Received } from '@syndrome/cli/drill/receiver.ts';
import { ask } from '@syndrome/supervisor/site/ask.ts';
import { serveController } from '@syndrome/supervisor/site/serve.ts';
import { readSite } from '@syndrome/supervisor/site/site-file.ts';

/** As that of the drill on x86, and each page is taken out of the guest as well: this VMM can. */
const POLICY = {
  schema: 1,
  name: 'arm64',
  version: '1',
  mode: 'act',
  rules: [
    { name: 'third-error', of: 'vm', when: { errors: 3, within: '1d' }, do: 'restart-elsewhere', drain: true },
    { name: 'vm-error', of: 'vm', when: { errors: 1 }, do: 'quarantine' },
  ],
};

export interface RunningSite {
  /** The site's file, for `syndrome fleet … --config`. */
  config: string;
  agents: string;
  ledger: string;
  notices: Received[];
  log: string[];
  list<T>(list: 'vms' | 'hosts' | 'incidents' | 'actions'): Promise<T[]>;
  stop(): Promise<void>;
}

export async function startSite(folder: string): Promise<RunningSite> {
  const secret = randomBytes(32);
  const notices: Received[] = [];
  const log: string[] = [];
  const receiver = await receive(
    () => secret,
    notice => void notices.push(notice),
  );
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const secretFile = write('secret', `whsec_${secret.toString('base64')}\n`);
  const customer = {
    kind: 'webhook',
    name: 'customer',
    url: receiver.url,
    secretFiles: [secretFile],
    allow: ['127.0.0.1/32'],
  };
  const policy = write('policy.yaml', JSON.stringify(POLICY));
  const config = write(
    'site.yaml',
    JSON.stringify({ site: 'arm64', folder: join(folder, 'c'), policy, notify: [customer] }),
  );
  const site = readSite(config);
  const end = new AbortController();
  const done = serveController(
    site,
    end.signal,
    line => log.push(line),
    () => undefined,
  );
  done.catch((error: unknown) => log.push(String(error)));
  return {
    config,
    agents: site.sockets.agents,
    ledger: site.store,
    notices,
    log,
    list: async <T>(list: 'vms' | 'hosts' | 'incidents' | 'actions'): Promise<T[]> =>
      (await ask(site.sockets.admin, { ask: 'list', list }).catch(() => [])) as T[],
    stop: async () => {
      end.abort();
      await done.catch(() => undefined);
      receiver.close();
    },
  };
}
