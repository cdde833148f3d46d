/** @module `syndrome sweep`: the cells of a space, measured and judged. */
import { availableParallelism } from 'node:os';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { EngineKind } from '@syndrome/lab/engine/engine.ts';
import { asksWhatIsOnOffer, versionsOf } from '@syndrome/lab/matrix/axes.ts';
import { LabInterrupted } from '@syndrome/lab/errors.ts';
import { takePoints, type Take } from '@syndrome/lab/sweep/take.ts';
import { sweepKernels, type SweepReport } from '@syndrome/lab/sweep/sweep.ts';
import { sweepText } from '@syndrome/lab/sweep/text.ts';
import { findSpace } from '@syndrome/lab/sweep/spaces.ts';
import { SweepStore } from '@syndrome/lab/sweep/store.ts';
import { interruptSignal } from './interrupt.ts';
import { openSupply, type SupplyOptions } from './open-supply.ts';
import { offersFor, partChoices, type PartOptions, services } from './part-options.ts';
import { type GlobalOptions, print, printJson, say, sayForNow } from './output.ts';

interface Options extends GlobalOptions, SupplyOptions, PartOptions {
  limit?: number;
  take: string;
  order: number;
  jobs: string;
  engine?: EngineKind;
  again?: boolean;
  json?: boolean;
}

/** @throws UsageError */
function takeOf(text: string): Take {
  if (text === 'full' || text === 'pairwise') return text;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError('E_USAGE', `--take ${text}: expected full, pairwise or how many points`);
}

function jobsOf(text: string): number {
  // A cell waits most of its time: for a console, a poll, a settling time.
  if (text === 'auto') return 4 * availableParallelism();
  const jobs = Number(text);
  if (Number.isInteger(jobs) && jobs >= 1 && jobs <= 64) return jobs;
  throw new UsageError('E_USAGE', `--jobs ${text}: expected auto or a number from 1 to 64`);
}

/** Seconds for people: `3 min`. */
const duration = (s: number): string =>
  s < 90 ? `${s.toFixed(0)} s` : s < 5400 ? `${(s / 60).toFixed(0)} min` : `${(s / 3600).toFixed(1)} h`;

/** `syndrome sweep`. */
export async function sweep(name: string, options: Options): Promise<void> {
  const started = performance.now();
  const space = findSpace(name);
  const take = takeOf(options.take);
  const jobs = jobsOf(options.jobs);
  const signal = interruptSignal();
  const supply = await openSupply(options, signal);
  const choices = partChoices(options);
  const asked = choices.kernel ?? 'newest';
  const first = takePoints(space.space, 1, options.order)[0] ?? {};
  const offers = asksWhatIsOnOffer(asked) ? await offersFor(supply, space.at(first), 'kernel') : [];
  const kernels = versionsOf('kernel', asked, offers);
  const store = await SweepStore.open();
  let report: SweepReport;
  try {
    report = await sweepKernels(space, kernels, {
      choices,
      services: { ...services(supply), signal },
      store,
      jobs,
      seed: options.order,
      take,
      again: options.again === true,
      started,
      ...(options.engine === undefined ? {} : { engine: options.engine }),
      ...(options.limit === undefined ? {} : { limit: options.limit }),
      onPlan: ({ kernel, points, known, left, seconds }) =>
        say(
          `${space.name} on Linux ${safeText(kernel, 100)}: ${points} points, ${known} known, ${left} to be measured${seconds === undefined ? '' : `, about ${duration(seconds)}`}, ${jobs} at a time; an interrupted sweep goes on where it stopped`,
        ),
      onProgress: ({ done, of, disagree, eta }) => {
        const line = `${done}/${of} cells, ${disagree} disagree${eta === undefined ? '' : `, ${duration(eta)} left`}`;
        if (!sayForNow(line, done === of) && (done === of || done % 200 === 0)) say(line);
      },
      onNote: text => say(safeText(text, 500)),
    });
  } catch (error) {
    throw signal.aborted ? new LabInterrupted() : error;
  } finally {
    await store.close();
  }
  if (options.json) printJson(report);
  else for (const line of sweepText(report)) print(line);
}
