/** @module Sites in several threads. Each is its own world with its own seed: their number changes the time it takes, and nothing else. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { runSite } from './shards.ts';
import type { SiteCounts, SiteOptions } from './site.ts';

interface CrewOptions {
  /** How many sites are simulated at a time; of one at a time none is in a thread of its own. */
  threads: number;
  signal?: AbortSignal | undefined;
  /** Called for each site, in their order. */
  told: (counts: SiteCounts, site: SiteOptions) => void;
  /** Called now and then while a site is simulated that is in no thread of its own, with the hours of it that have passed. */
  passing?: ((hours: number, site: SiteOptions) => void) | undefined;
}

/**
 * Simulates sites.
 * @throws what the signal gives as its reason; what fails in a thread
 */
export async function runSites(
  sites: readonly SiteOptions[],
  { threads, signal, told, passing }: CrewOptions,
): Promise<void> {
  if (threads < 2 || sites.length < 2) {
    for (const site of sites) told(await runSite(site, signal, hours => passing?.(hours, site)), site);
    return;
  }
  const failed = new AbortController();
  const stop = AbortSignal.any([failed.signal, ...(signal === undefined ? [] : [signal])]);
  const found: (SiteCounts | undefined)[] = [];
  let next = 0;
  let said = 0;
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL('./site-worker.ts', import.meta.url), { execArgv: [] });
    try {
      for (let nth = next++; nth < sites.length; nth = next++) {
        worker.postMessage(sites[nth]);
        [found[nth]] = (await once(worker, 'message', { signal: stop })) as [SiteCounts];
        for (let counts = found[said]; counts !== undefined; counts = found[++said]) {
          const site = sites[said];
          if (site !== undefined) told(counts, site);
          found[said] = undefined;
        }
      }
    } catch (error) {
      failed.abort(error);
      throw stop.reason;
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(threads, sites.length) }, work));
}
