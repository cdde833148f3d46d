import { keepHeapSmall } from '@syndrome/supervisor/agent/small-heap.ts';
import { readSite } from '@syndrome/supervisor/site/site-file.ts';
import { serveAgent, serveController } from '@syndrome/supervisor/site/serve.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { interruptSignal } from './interrupt.ts';
import { needLinux } from './need-linux.ts';
import { type GlobalOptions, print, say } from './output.ts';

interface Options extends GlobalOptions {
  config: string;
  check?: boolean;
}

/** Runs an agent, a controller, or both in this process, until Ctrl-C or SIGTERM. */
export async function supervise(part: 'agent' | 'controller' | 'both', options: Options): Promise<void> {
  needLinux();
  if (part === 'agent') keepHeapSmall();
  const site = readSite(options.config);
  if (options.check === true) {
    print(
      `${options.config} is well: site ${site.site}, policy ${site.policy.name}@${site.policy.version}, ${site.targets.length} targets`,
    );
    return;
  }
  const asked = interruptSignal();
  const failed = new AbortController();
  const stop = AbortSignal.any([asked, failed.signal]);
  const log = (who: string) => (line: string) => say(`${new Date().toISOString()} ${who}: ${safeText(line, 1000)}`);
  const parts = [
    ...(part === 'agent' ? [] : [serveController(site, stop, log('controller'), print)]),
    ...(part === 'controller' ? [] : [serveAgent(site, stop, log('agent'))]),
  ];
  // One that cannot go on ends the other: a supervisor that does half of its work looks as if it did all.
  const ended = await Promise.allSettled(
    parts.map(work =>
      work.catch((error: unknown) => {
        failed.abort();
        throw error;
      }),
    ),
  );
  const [fault] = ended.filter(e => e.status === 'rejected');
  if (fault !== undefined) throw fault.reason;
}
