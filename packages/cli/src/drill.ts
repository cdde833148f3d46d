import { drillDemo } from './drill/demo.ts';
import { drillLines } from './drill/report.ts';
import { siteDrill, type SiteDrillOptions } from './drill/site-drill.ts';
import { siteDrillLines } from './drill/site-report.ts';
import { EXIT } from './exit-codes.ts';
import { interruptSignal } from './interrupt.ts';
import { needLinux } from './need-linux.ts';
import { openSupply, type SupplyOptions } from './open-supply.ts';
import { type GlobalOptions, print, printJson, say, stdoutStyle } from './output.ts';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';

interface Options extends GlobalOptions, SupplyOptions {
  json?: boolean;
  keep?: boolean;
  timeout: number;
}

/**
 * Runs a drill on the reader's own site: exit code 0 when all came that had to by what was decided, 1 when something did not, 2 when
 * it was refused, 3 when the controller or the monitor did not answer.
 */
export async function drillHere(
  name: string | undefined,
  given: Omit<SiteDrillOptions, 'timeout'> & GlobalOptions & { json?: boolean; timeout?: number },
): Promise<void> {
  if (name === undefined)
    throw new UsageError('E_USAGE', 'which drill?', {
      hint: 'syndrome drill demo needs nothing; a name of `syndrome inject --list` is a drill on your own site.',
    });
  needLinux();
  const options = { timeout: 60, ...given };
  const report = await siteDrill(name, options, interruptSignal(), say);
  if (report.verdict === 'fail') process.exitCode = EXIT.fail;
  if (options.json === true) printJson(report);
  else for (const line of siteDrillLines(report, options.timeout, stdoutStyle(options))) print(line);
}

/** Runs `drill demo`: exit code 0 when everything was as it has to be, 1 when it was not, 3 when it did not come so far. */
export async function drill(options: Options): Promise<void> {
  needLinux();
  const stop = AbortSignal.any([interruptSignal(), AbortSignal.timeout(options.timeout * 1000)]);
  const supply = await openSupply(options, stop);
  const started = Date.now();
  const report = await drillDemo({
    services: { supply, signal: stop, onNotice: say },
    signal: stop,
    ...(options.keep === true ? { keep: true } : {}),
    onMoment: ({ at, who, what }) =>
      say(`${((at - started) / 1000).toFixed(1).padStart(6)} s  ${who}: ${safeText(what, 200)}`),
  });
  if (report.verdict === 'fail') process.exitCode = EXIT.fail;
  if (options.json === true) printJson(report);
  else for (const line of drillLines(report, stdoutStyle(options))) print(line);
  if (report.folder !== undefined) say(`ledger and logs are kept in ${report.folder}`);
}
