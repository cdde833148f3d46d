/** The pictures of docs/tour.md and README.md: of what, how it is looked at. All of it is real and in the repository. */
import { globSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const PAIR = join(ROOT, 'packages/trace/src/compare/golden');
/** Four matrices of real runs, and the traces of two of them. */
export const MEASURED: string = join(ROOT, 'packages/web/src/view/golden');

/** A picture, 1440 × 900 unless said otherwise. */
interface Picture {
  name: string;
  /** Files that the page carries: traces and matrices. */
  files?: readonly string[];
  /** A log that it carries. */
  log?: string;
  /** The index of a report on what was measured, instead of a page. */
  report?: true;
  hash?: string;
  width?: number;
  height?: number;
  scheme: 'light' | 'dark';
  /** What is clicked before. */
  clicks?: readonly string[];
}

const BAD = join(PAIR, 'pair-amd-deferred-6.19.6.ndjson');
const GOOD = join(PAIR, 'pair-amd-deferred-7.3.4.ndjson');
const MATRICES = globSync(['*.json', 'traces/*.ndjson'], { cwd: MEASURED })
  .toSorted()
  .map(name => join(MEASURED, name));
/** The first bad kernel. */
const CELL = '#matrix?line=1.1&version=6.19.6';
const DEFERRED = '#decode?status=0x9c00180000000000&addr=0x87ee000&misc=0x8c&bank=9&vendor=amd';

/** Corrected errors of a machine with one bad rank, and what ended it. */
const LOG = [
  ...Array.from({ length: 120 }, (_, i) => [
    `[${1000 + i * 30}.102030] mce: [Hardware Error]: CPU ${i % 4}: Machine Check: 0 Bank 8: 8c00004000010092`,
    `[${1000 + i * 30}.102031] mce: [Hardware Error]: TSC 0 ADDR ${(0x87ee000 + (i % 9) * 0x1000).toString(16)} MISC 4000008c `,
    `[${1000 + i * 30}.102032] mce: [Hardware Error]: PROCESSOR 0:50654 TIME ${1796021342 + i * 30} SOCKET 0 APIC 6 microcode 2007006`,
  ]),
  '[4700.000001] mce: [Hardware Error]: CPU 2: Machine Check Exception: 7 Bank 7: bd80000000100134',
  '[4700.000002] mce: [Hardware Error]: RIP 33:<00007f3b2c3d4e5f>',
  '[4700.000003] mce: [Hardware Error]: TSC 0 ADDR 87f1000 MISC 8c ',
  '[4700.000004] mce: [Hardware Error]: PROCESSOR 0:50654 TIME 1796025042 SOCKET 0 APIC 4 microcode 2007006',
  '[4700.000100] Memory failure: 0x87f1: Sending SIGBUS to mysqld:812 due to hardware memory corruption',
  '[4700.000200] Memory failure: 0x87f1: recovery action for dirty LRU page: Recovered',
  '',
]
  .flat()
  .join('\n');

const TURNED = ['[data-bit="44"]', '[data-bit="61"]'];

export const PICTURES: readonly Picture[] = [
  { name: 'compare-light', files: [BAD, GOOD], scheme: 'light' },
  { name: 'compare-dark', files: [BAD, GOOD], scheme: 'dark' },
  { name: 'trace-light', files: [GOOD], hash: '#trace?event=a85', scheme: 'light' },
  { name: 'trace-dark', files: [BAD], scheme: 'dark' },
  { name: 'matrix-light', files: MATRICES, hash: CELL, scheme: 'light' },
  { name: 'matrix-dark', files: MATRICES, hash: `${CELL}&across=scenarios`, scheme: 'dark' },
  { name: 'report-light', report: true, scheme: 'light' },
  { name: 'report-dark', report: true, scheme: 'dark' },
  { name: 'decode-light', hash: DEFERRED, clicks: TURNED, scheme: 'light' },
  { name: 'decode-dark', hash: DEFERRED, clicks: TURNED, scheme: 'dark' },
  { name: 'log-dark', log: LOG, scheme: 'dark' },
  { name: 'log-narrow', log: LOG, scheme: 'light', width: 900, height: 1000 },
];

/** What stands in the list of a server: a trace of the tests, under the name of a run, and how long ago it was. */
export const LISTED: readonly (readonly [from: string, name: string, minutes: number])[] = [
  [GOOD, 'amd-deferred-20261130T101502-117Z-4211.ndjson', 3],
  [BAD, 'amd-deferred-20261130T101344-902Z-4098.ndjson', 4],
  [
    join(PAIR, '../../golden', 'v2-intel-srar-process.ndjson'),
    'intel-srar-process-20261130T093011-440Z-3377.ndjson',
    48,
  ],
  [join(PAIR, '../../golden', 'v2-intel-ce-logged.ndjson'), 'intel-ce-logged-20261130T092905-008Z-3290.ndjson', 49],
  [
    join(PAIR, '../../golden', 'v1-host-soft-offline.ndjson'),
    'host-soft-offline-20261128T171200-310Z-981.ndjson',
    2460,
  ],
];

/** The list of a server, in these colours. */
export const LIST_SCHEMES: readonly Picture['scheme'][] = ['light', 'dark'];

/** The page of a fleet. Its times are those of the moment when they are taken: no other run has the same picture. */
export const MOMENTS: readonly string[] = ['light', 'dark'].map(scheme => `fleet-${scheme}`);

/** What all pictures are called, in the order of the docs. */
export const PICTURE_NAMES: readonly string[] = [
  ...PICTURES.map(({ name }) => name),
  ...LIST_SCHEMES.map(scheme => `runs-${scheme}`),
  ...MOMENTS,
];

/** Beside the pictures: the version of the Chromium that they were taken in. Another one draws letters otherwise. */
export const VERSION_FILE = 'chromium.txt';
