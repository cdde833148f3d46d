/** @module `syndrome map` and `syndrome diff-map`: what sweeps have measured, merged, and what differs between two kernels. */
import { stringify } from '@syndrome/decode/common/hex.ts';
import { checkOutput } from '@syndrome/base/disk/output-file.ts';
import { MATRIX_VERSION, type MatrixReport } from '@syndrome/lab/report/matrix.ts';
import { alwaysWords, diffText, mapText } from '@syndrome/lab/sweep/map-text.ts';
import { cameWords, mapOf, type SpaceMap, versionOf } from '@syndrome/lab/sweep/map.ts';
import { knownDiff, knownOf } from '@syndrome/lab/sweep/map-store.ts';
import { findSpace, spaceNames } from '@syndrome/lab/sweep/spaces.ts';
import { SweepStore } from '@syndrome/lab/sweep/store.ts';
import { unscriptedMatrix } from '@syndrome/web/unscripted.ts';
import { type GlobalOptions, print, printJson } from './output.ts';

interface MapOptions extends GlobalOptions {
  guestKernel?: string;
  json?: boolean;
  html?: string;
}

const versionsIn = (text: string | undefined): string[] | undefined => text?.split(',').filter(Boolean);

/** A class of the map as a line of a matrix, so that its page, and whoever reads a matrix, shows it. */
function asMatrix(map: SpaceMap): MatrixReport {
  const versions = map.kernels.map(versionOf);
  return {
    schemaVersion: MATRIX_VERSION,
    scenario: map.space,
    axis: 'kernel',
    seconds: 0,
    versions,
    cells: map.classes.flatMap(({ points, came, always, simplest }, i) =>
      came.map((one, k) => ({
        cell: {
          kernel: versions[k] ?? '',
          variant: `${i + 1}: ${points} ${points === 1 ? 'point' : 'points'}${Object.keys(always).length === 0 ? '' : `, ${alwaysWords(always)}`}`,
        },
        result: {
          schemaVersion: 1,
          scenario: map.space,
          title: map.title,
          verdict: one.disagree > 0 ? ('fail' as const) : ('pass' as const),
          outcome: one.outcome,
          seconds: 0,
          expectations: [
            {
              expectation: `${points} points, e.g. ${alwaysWords(Object.fromEntries(Object.entries(simplest).map(([axis, label]) => [axis, [label]])))}`,
              kind: 'outlook' as const,
              status: one.disagree > 0 ? ('fail' as const) : ('pass' as const),
              evidence: [],
              nearest: [],
              reason: `${cameWords(one)}${one.line === undefined ? '' : `: ${one.line}`}; ${one.disagree} are not what the rules say`,
            },
          ],
          causes: [],
          trace: one.trace ?? '',
          parts: { kernel: map.kernels[k] ?? '' },
          phases: {},
          restored: false,
          restarts: 0,
        },
      })),
    ),
  };
}

/** `syndrome map`. */
export async function map(name: string, options: MapOptions): Promise<void> {
  const { html } = options;
  if (html !== undefined) checkOutput('--html', html);
  const space = findSpace(name);
  const store = await SweepStore.open();
  let made: SpaceMap;
  try {
    made = mapOf(space, await knownOf(store, space, versionsIn(options.guestKernel)));
  } finally {
    await store.close();
  }
  if (html !== undefined) {
    const { writePage } = await import('./html.ts');
    const text = stringify(asMatrix(made));
    const unscripted = unscriptedMatrix(text, made.space);
    await writePage(
      html,
      [{ kind: 'matrix', name: `${made.space}.json`, bytes: Buffer.from(text) }],
      unscripted === undefined ? {} : { unscripted },
    );
  }
  if (options.json) printJson(made);
  else for (const line of mapText(made)) print(line);
}

interface DiffOptions extends GlobalOptions {
  space?: string;
  json?: boolean;
}

/** `syndrome diff-map`. */
export async function diffMap(from: string, to: string, options: DiffOptions): Promise<void> {
  const spaces = (options.space === undefined ? spaceNames() : [options.space]).map(findSpace);
  const store = await SweepStore.open();
  try {
    const diff = await knownDiff(store, spaces, { from, to });
    if (options.json) printJson(diff);
    else for (const line of diffText(diff)) print(line);
  } finally {
    await store.close();
  }
}
