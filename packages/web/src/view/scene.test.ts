import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTrace } from '@syndrome/trace/testing/parse.ts';
import { BAD, GOOD, NASTY, runOf, traceText } from './testing/runs.ts';
import { COLORS, type Palette } from './palette.ts';
import { fittedWindow, openRun, type Run, wholeWindow } from './run.ts';
import { hit, type Scene, sceneOf } from './scene.ts';
import { svgOf } from './svg.ts';

const runs = [runOf(BAD), runOf(GOOD)];
const measure = (text: string, bold: boolean): number => text.length * (bold ? 7 : 6.4);
const scene = (of: readonly Run[], [from, to]: readonly [number, number] = fittedWindow(of), width = 1280): Scene =>
  sceneOf({ runs: of, from, to, width, measure, steps: true });
const PALETTE = Object.fromEntries(COLORS.map(name => [name, '#123456'])) as Palette;

/** Labels that meet another one of their row, or leave the lanes. */
function untidy({ labels, left, width }: Scene): string[] {
  const box = ({ x, text, bold }: Scene['labels'][number]): [number, number] => [x, x + measure(text, bold)];
  return labels.flatMap((label, i) => {
    const [from, to] = box(label);
    const meets = labels.slice(i + 1).filter(other => {
      const [start, end] = box(other);
      return other.y === label.y && start < to && end > from;
    });
    const outside = from < left || to > width - 12 ? [`${label.text} leaves the lanes`] : [];
    return [...outside, ...meets.map(other => `${label.text} | ${other.text}`)];
  });
}

describe.each([
  ['one run', runs.slice(0, 1)],
  ['two runs', runs],
])('%s', (_, of) => {
  test.each([900, 1280, 1440, 3800])('labels overlap nowhere at %i px', width => {
    for (const window of [fittedWindow(of), wholeWindow(of)]) expect(untidy(scene(of, window, width))).toEqual([]);
  });
  test('nor in any window', () => {
    const [low, high] = wholeWindow(of);
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        fc.double({ min: 0.001, max: 1, noNaN: true }),
        (at, share) => {
          const from = low + (high - low) * at;
          const one = scene(of, [from, from + (high - low) * share]);
          expect(untidy(one)).toEqual([]);
          for (const mark of one.marks) expect(mark.x >= one.left && mark.x <= one.width - 12).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });
});

test('evidence is ringed, and what broke an expectation is told apart', () => {
  const marks = scene(runs.slice(0, 1)).marks;
  const named = (name: string) => marks.find(m => runs[0]?.trace.events[m.index]?.name === name);
  expect(named('host.memory-failure')).toMatchObject({ evidence: true, broke: false });
  expect(named('guest.panic')).toMatchObject({ evidence: true, broke: true, weight: 'fatal' });
  expect(named('guest.msr-error')).toMatchObject({ evidence: false, weight: 'fatal' });
});
test('the way begins at zero', () => {
  const one = scene(runs.slice(0, 1));
  expect(one.way[0]?.points[0]?.x).toBeCloseTo(one.zero ?? -1);
});
test('a click finds the nearest mark, and nothing where there is none', () => {
  const one = scene(runs.slice(0, 1));
  const panic = one.marks.find(m => m.broke);
  expect(hit(one, (panic?.x ?? 0) + 3, panic?.y ?? 0)).toBe(panic);
  expect(hit(one, one.left + 1, 1)).toBeUndefined();
});
test('where two runs part there is a flag', () => {
  const index = runs[0]?.trace.events.findIndex(e => e.name === 'guest.msr-error') ?? -1;
  const [from, to] = fittedWindow(runs);
  const flagged = sceneOf({ runs, from, to, width: 1280, measure, steps: true, first: { run: 0, index } });
  const mark = flagged.marks.find(m => m.run === 0 && m.index === index);
  expect(flagged.first).toEqual({ x: mark?.x, y: mark?.y, flip: false });
  expect(
    sceneOf({ runs, from: -9, to: 9, width: 1280, measure, steps: true, first: { run: 0, index } }).first,
  ).toBeUndefined();
});
test('half a million raw lines become no more bins than there are pixels', () => {
  const rows = Array.from({ length: 50_000 }, (_, i) => [i, 'guest', { raw: 'line' }] as [number, string, object]);
  const run = openRun(parseTrace(traceText(rows), 'x'), 'x');
  const big = scene([run], wholeWindow([run]));
  expect(big.bins.length).toBeGreaterThan(500);
  expect(big.bins.length).toBeLessThanOrEqual(big.width);
});

describe('as SVG', () => {
  const svg = svgOf(scene(runs), PALETTE, [{ text: 'A & B <compared>', bold: true }]);
  test('it is one element, with its colours in it, and loads nothing', () => {
    expect(svg).toMatch(/^<svg [^>]*>[\s\S]*<\/svg>\n$/);
    expect(svg.match(/<svg /g)).toHaveLength(1);
    expect(svg).not.toMatch(/href|url\(|<script|<image|<style|var\(/);
    expect(svg).toContain('A &#38; B &#60;compared&#62;');
  });
  test.each(NASTY)('hostile text stays text: %j', nasty => {
    const text = traceText([
      [1, 'lab', { name: 'lab.injected', fields: { kind: 'mce' } }],
      [2, 'guest', { name: 'guest.panic', fields: { message: nasty } }],
    ]);
    const run = openRun(parseTrace(text, 'x'), 'x');
    const drawn = svgOf(scene([run]), PALETTE, [{ text: nasty, bold: false }]);
    expect(drawn.replace(/<(?:\/?(?:svg|g|text)|rect|path|circle)\b[^<>]*>/g, '')).not.toMatch(/[<>]/);
  });
});
