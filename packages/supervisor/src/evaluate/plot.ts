/** @module An evaluation as a picture: for each policy what it leaves and what it costs, with intervals. */
import type { Evaluation } from './evaluate.ts';
import type { Measure } from './measure.ts';

const PANELS: readonly (readonly [Measure, string])[] = [
  ['crashes', 'VMs that crashed'],
  ['restarts', 'VMs restarted by the policy'],
  ['harmed', 'VMs harmed'],
  ['downMinutes', 'VM-minutes down'],
  ['migrations', 'VMs moved live'],
  ['closedHostDays', 'host-days closed'],
];
const [COLUMNS, WIDTH, HEIGHT, BAR, LEFT, TOP] = [3, 300, 190, 18, 34, 34];
const LENGTH = WIDTH - LEFT - 70;

const text = (x: number, y: number, what: string, more = ''): string =>
  `<text x="${x}" y="${y}"${more}>${what.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`;
const at = (x: number): number => Math.round(x * 10) / 10;

function panel({ policies }: Evaluation, [measure, title]: (typeof PANELS)[number], nth: number): string[] {
  const [x0, y0] = [(nth % COLUMNS) * WIDTH, TOP + Math.floor(nth / COLUMNS) * HEIGHT];
  const most = Math.max(1e-9, ...policies.map(({ rates }) => rates[measure][0] + rates[measure][1]));
  const x = (value: number): number => at(x0 + LEFT + (Math.max(0, value) / most) * LENGTH);
  return [
    text(x0 + LEFT, y0 + 14, title, ' font-weight="bold"'),
    ...policies.flatMap(({ name, rates }, i) => {
      const [mean, half] = rates[measure];
      const y = y0 + 24 + i * (BAR + 6);
      const middle = y + BAR / 2;
      const fill = name === 'P' ? '#1f6feb' : '#8b949e';
      return [
        text(x0 + LEFT - 6, middle + 4, name, ' text-anchor="end"'),
        `<rect x="${x0 + LEFT}" y="${y}" width="${at(x(mean) - x0 - LEFT)}" height="${BAR}" fill="${fill}"/>`,
        `<path d="M${x(mean - half)} ${middle}H${x(mean + half)}" stroke="#24292f" stroke-width="1.5"/>`,
        text(
          x(mean + half) + 4,
          middle + 4,
          mean >= 10 || mean === 0 ? Math.round(mean).toLocaleString('en-US') : mean.toFixed(1),
        ),
      ];
    }),
  ];
}

/** An SVG of 900 pixels in width; it needs nothing beside itself. */
export function plotOf(evaluation: Evaluation): string {
  const [width, height] = [COLUMNS * WIDTH, TOP + Math.ceil(PANELS.length / COLUMNS) * HEIGHT];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12" fill="#24292f" role="img">`,
    '<title>Policies compared</title>',
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(LEFT, 20, 'For 10,000 host-years; lines are intervals of 95 %. P is the shipped policy.'),
    ...PANELS.flatMap((one, nth) => panel(evaluation, one, nth)),
    '</svg>',
    '',
  ].join('\n');
}
