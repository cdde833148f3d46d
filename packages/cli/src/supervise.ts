import { flushCompileCache } from 'node:module';
import { readAgentSite, siteJsonSchema } from '@syndrome/supervisor/site/site-file.ts';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { interruptSignal } from './interrupt.ts';
import { needLinux } from './need-linux.ts';
import { type GlobalOptions, print, printJson, say } from './output.ts';

interface Options extends GlobalOptions {
  config?: string;
  schema?: boolean;
  check?: boolean;
}

/** Begins the work of a part, which goes on until the signal. */
type Begin = (stop: AbortSignal) => Promise<void>;

/** Runs an agent, a controller, or both in this process, until Ctrl-C or SIGTERM. */
export async function supervise(part: 'agent' | 'controller' | 'both', options: Options): Promise<void> {
  if (options.schema === true) return printJson(siteJsonSchema(), 2);
  needLinux();
  const file = options.config;
  if (file === undefined)
    throw new UsageError('E_SITE_FILE', 'no site is named', { hint: 'Name its file with --config.' });
  if (options.check === true) return check(file);
  const parts = part === 'agent' ? [await agentOf(file)] : await partsOf(part, file);
  const failed = new AbortController();
  const stop = AbortSignal.any([interruptSignal(), failed.signal]);
  // One that cannot go on ends the other: a supervisor that does half of its work looks as if it did all.
  const ended = await Promise.allSettled(
    parts.map(begin =>
      begin(stop).catch((error: unknown) => {
        failed.abort();
        throw error;
      }),
    ),
  );
  const [fault] = ended.filter(e => e.status === 'rejected');
  if (fault !== undefined) throw fault.reason;
}

async function check(file: string): Promise<void> {
  const { readSite } = await import('@syndrome/supervisor/site/site.ts');
  const { site, policy, targets } = readSite(file);
  print(`${file} is well: site ${site}, policy ${policy.name}@${policy.version}, ${targets.length} targets`);
}

const log = (who: string) => (line: string) => say(`${new Date().toISOString()} ${who}: ${safeText(line, 1000)}`);

/** The agent alone: it is beside VMs, on memory that is theirs, and nothing of a controller is loaded with it. */
async function agentOf(file: string): Promise<Begin> {
  const { serveAgent } = await import('@syndrome/supervisor/site/serve-agent.ts');
  const site = readAgentSite(file);
  // It may run for months, and end by -9: what it has compiled is kept now.
  return stop => serveAgent(site, stop, log('agent'), flushCompileCache);
}

/** The page of a fleet: built, or unpacked, when it is first asked for. */
async function fleetPage(): Promise<{ html: string; policy: string }> {
  const [{ template }, { servedPage }] = await Promise.all([
    import('@syndrome/web/template.ts'),
    import('@syndrome/web/served.ts'),
  ]);
  return servedPage(await template('fleet'), 'fleet');
}

async function partsOf(part: 'controller' | 'both', file: string): Promise<Begin[]> {
  const { readSite } = await import('@syndrome/supervisor/site/site.ts');
  const { serveController } = await import('@syndrome/supervisor/site/serve-controller.ts');
  const site = readSite(file);
  const controller: Begin = stop => serveController(site, stop, log('controller'), print, fleetPage);
  if (part === 'controller') return [controller];
  const { serveAgent } = await import('@syndrome/supervisor/site/serve-agent.ts');
  return [controller, stop => serveAgent(site, stop, log('agent'))];
}
