/** @module Maps and what differs between two kernels, as text. Pure. */
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { Outcome } from '@syndrome/trace/expect/outcome.ts';
import type { Point } from '../params/space.ts';
import { cameWords, type MapDiff, type SpaceMap, versionOf } from './map.ts';

/** What many states do. */
const VERBS: Readonly<Record<Outcome, string>> = {
  none: 'show nothing',
  logged: 'are logged',
  signalled: 'are signalled',
  killed: 'kill the process',
  panicked: 'panic',
  reset: 'reset the machine',
  hung: 'hang',
  'vmm-died': 'end the VMM',
  'domain-crashed': 'crash the domain',
};

const pointWords = (point: Point): string =>
  Object.entries(point)
    .map(([axis, label]) => `${axis}=${label}`)
    .join(' ');

/** @example alwaysWords({ pcc: ['1'], code: ['data', 'tlb'] }) // 'pcc=1 code=data|tlb' */
export const alwaysWords = (always: Readonly<Record<string, readonly string[]>>): string =>
  Object.entries(always)
    .map(([axis, labels]) => `${axis}=${labels.join('|')}`)
    .join(' ');

const states = (n: number): string => (n === 1 ? '1 state' : `${n} states`);

/** Singular of what one state does. */
const verb = (outcome: Outcome, n: number): string => {
  const [first = '', ...rest] = VERBS[outcome].split(' ');
  return n === 1 ? [first === 'are' ? 'is' : `${first}s`, ...rest].join(' ') : VERBS[outcome];
};

const PAST: Readonly<Record<Outcome, string>> = {
  none: 'showed nothing',
  logged: 'were logged',
  signalled: 'were signalled',
  killed: 'killed the process',
  panicked: 'panicked',
  reset: 'reset the machine',
  hung: 'hung',
  'vmm-died': 'ended the VMM',
  'domain-crashed': 'crashed the domain',
};

const past = (outcome: Outcome, n: number): string =>
  n === 1 ? PAST[outcome].replace(/^were /, 'was ') : PAST[outcome];

/** The classes of a map, one after the other. `!` is not what the rules say. */
export function mapText(map: SpaceMap): string[] {
  const { space, title, kernels, points, partly, agreement, classes } = map;
  const versions = kernels.map(versionOf);
  const lines = [
    `${space}: ${title}`,
    `${points} points known on ${versions.join(', ')}${partly === 0 ? '' : `, ${partly} more on some of them`}; ${classes.length} classes`,
    `agree ${agreement.agree}, disagree ${agreement.disagree}, undecided ${agreement.undecided}`,
  ];
  for (const { points: n, came, always, simplest } of classes) {
    const groups: { from: string; to: string; words: string }[] = [];
    for (const [i, one] of came.entries()) {
      const words = `${cameWords(one)}${one.disagree > 0 ? ` ! (${one.disagree})` : ''}`;
      const last = groups.at(-1);
      const version = versions[i] ?? '';
      if (last?.words === words) last.to = version;
      else groups.push({ from: version, to: version, words });
    }
    const told = groups.map(({ from, to, words }) => `${from === to ? from : `${from}…${to}`}: ${words}`).join('  ');
    const only = alwaysWords(always);
    lines.push(
      '',
      `${String(n).padStart(6)}  ${groups.length === 1 ? (groups[0]?.words ?? '') : told}`,
      ...(only === '' ? [] : [`        only ${only}`]),
      `        e.g. ${pointWords(simplest)}`,
      ...[...new Set(came.flatMap(({ line }) => line ?? []))].map(line => `        line ${line}`),
    );
  }
  return lines.map(line => safeText(line, 1000));
}

/** What changed, in words. */
export function diffText({ from, to, spaces, changes }: MapDiff): string[] {
  const [before, after] = [versionOf(from), versionOf(to)];
  const lines = spaces.map(
    ({ space, points, same }) => `${space}: ${points} points known on both, ${same} come to the same`,
  );
  if (changes.length === 0) lines.push(`Nothing that is known of both differs between ${before} and ${after}.`);
  for (const { space, points, from: a, to: b, always, simplest, fromLine, toLine } of changes) {
    const what =
      a.outcome === b.outcome
        ? `${after}: ${states(points)} ${verb(b.outcome, points)} with ${b.signal}, with ${a.signal} in ${before}`
        : `${after}: ${states(points)} ${verb(b.outcome, points)} that ${past(a.outcome, points)} in ${before}`;
    const only = alwaysWords(always);
    lines.push(
      '',
      `${what} (${space})`,
      ...(only === '' ? [] : [`  only ${only}`]),
      `  e.g. ${pointWords(simplest)}`,
      ...(fromLine === undefined ? [] : [`  ${before}: ${fromLine}`]),
      ...(toLine === undefined ? [] : [`  ${after}: ${toLine}`]),
    );
  }
  return lines.map(line => safeText(line, 1000));
}
