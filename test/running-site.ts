/** A controller with its ledger, and a customer that is told, on this machine. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { receive, type Received } from '@syndrome/cli/drill/receiver.ts';
import { ask } from '@syndrome/supervisor/site/ask.ts';
import { serveController } from '@syndrome/supervisor/site/serve-controller.ts';
import { readSite } from '@syndrome/supervisor/site/site.ts';
import { readPlaces } from '@syndrome/supervisor/site/site-file.ts';

export interface RunningSite {
  /** The site's file, for `syndrome fleet … --config`. */
  config: string;
  agents: string;
  ledger: string;
  notices: Received[];
  /** Requests that were not signed. */
  refused(): number;
  log: string[];
  list<T>(list: 'vms' | 'hosts' | 'incidents' | 'actions'): Promise<T[]>;
  stop(): Promise<void>;
}

/** @param policy as a file of it holds it */
export async function startSite(folder: string, policy: { name: string }): Promise<RunningSite> {
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
  const file = write('policy.yaml', JSON.stringify(policy));
  const config = write(
    'site.yaml',
    JSON.stringify({ site: policy.name, folder: join(folder, 'c'), policy: file, notify: [customer] }),
  );
  const site = readSite(config);
  const { sockets, store } = readPlaces(config);
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
    agents: sockets.agents,
    ledger: store.at,
    notices,
    refused: () => receiver.refused(),
    log,
    list: async <T>(list: 'vms' | 'hosts' | 'incidents' | 'actions'): Promise<T[]> =>
      (await ask(sockets.admin, { ask: 'list', list }).catch(() => [])) as T[],
    stop: async () => {
      end.abort();
      await done.catch(() => undefined);
      receiver.close();
    },
  };
}
