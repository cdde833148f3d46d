/** @module An agent as a site's file describes it, in this process, until it is told to stop. */
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { Agent, type AgentParts } from '../agent/agent.ts';
import { DrillSource } from '../agent/sources/drill.ts';
import type { AgentSite } from './site-file.ts';

/**
 * Runs the agent of a site.
 * @param loaded called once all that this agent loads is loaded
 * @throws UsageError E_SITE_FILE where the file has none; SyndromeError where another one runs
 */
export async function serveAgent(
  site: AgentSite,
  stop: AbortSignal,
  log: (line: string) => void,
  loaded?: () => void,
): Promise<void> {
  const { agent: config, drill } = site;
  if (config === undefined)
    throw new UsageError('E_SITE_FILE', 'the file of the site has no agent', {
      hint: 'Say under agent: what is to be watched.',
    });
  const parts = (): AgentParts => (drill === undefined ? {} : { sources: [new DrillSource(drill)] });
  const agent = await Agent.open(config, { log, parts });
  loaded?.();
  await agent.run(stop);
}
