/** @module A thread that simulates one site after the other, as it is told to. */
import { parentPort } from 'node:worker_threads';
import { runSite } from './shards.ts';
import type { SiteOptions } from './site.ts';

parentPort?.on('message', (options: SiteOptions) => {
  // What fails here fails whoever waits for the answer.
  void runSite(options).then(counts => parentPort?.postMessage(counts));
});
