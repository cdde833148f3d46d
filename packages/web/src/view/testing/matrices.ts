/** Matrices that the tests of pages look at. */

/** A cell of `syndrome matrix --json`; what matters to a test is given. */
export const cell = (
  kernel: string,
  verdict: string,
  outcome: string,
  more: object = {},
  parts: object = {},
): object => ({
  cell: { kernel, ...parts },
  result: {
    schemaVersion: 1,
    scenario: 's',
    title: 'A deferred error',
    verdict,
    outcome,
    seconds: 2.345,
    expectations: [],
    causes: [],
    trace: '',
    parts: { kernel },
    phases: {},
    restored: false,
    restarts: 0,
    ...more,
  },
});

/** The text of a matrix. */
export const matrixText = (scenario: string, cells: readonly object[]): string =>
  JSON.stringify({ schemaVersion: 1, scenario, seconds: 60, cells });

export const CAUSE = {
  id: 'linux-amd-destat-without-smca',
  text: 'The guest cleared MCA_DESTAT.',
  history: 'Mended in 6.19.10.',
};
/** Of what the outlook said. */
export const OUTLOOK = {
  expectation: 'outlook: signalled',
  kind: 'outlook',
  status: 'fail',
  evidence: [],
  nearest: [4],
  reason: 'the outcome is panicked',
};
const broken = { causes: [CAUSE], expectations: [OUTLOOK], trace: '/state/pair-amd-deferred-6.19.6.ndjson' };
const held = { trace: '/state/pair-amd-deferred-7.3.4.ndjson' };
const PROBLEM = { code: 'E_LAB_KERNEL_CONFIG', message: 'Linux 6.1 is built without CONFIG_X86_MCE' };

/** A scenario that is broken from 6.19.6 to 6.19.8. */
export const DEFERRED = matrixText('amd-deferred', [
  cell('6.1', 'skip', 'none', { problem: PROBLEM }),
  cell('6.18.15', 'pass', 'signalled'),
  cell('6.19.6', 'fail', 'panicked', broken),
  cell('6.19.8', 'fail', 'panicked', { causes: [CAUSE] }),
  cell('6.19.10', 'pass', 'signalled'),
  cell('7.3.4', 'pass', 'signalled', held),
]);
/** Another scenario, on one kernel more and without one. */
export const LOGGED = matrixText('intel-ce-logged', [
  cell('6.18.15', 'pass', 'logged', {}, { cpu: 'Skylake-Server' }),
  cell('6.19.6', 'pass', 'logged', {}, { cpu: 'Skylake-Server' }),
  cell('7.0.4', 'pass', 'none', {}, { cpu: 'Skylake-Server' }),
]);

const OLD = { code: 'E_LAB_QEMU_OLD', message: 'QEMU 5.2.0 is too old for the lab' };
const onQemu = (qemu: string, verdict: string, outcome: string, more: object = {}): object =>
  cell('6.19.8', verdict, outcome, more, { qemu });

/** One scenario over versions of QEMU with a fixed kernel: the oldest cannot start it, one was not measured. */
export const OVER_QEMU = JSON.stringify({
  schemaVersion: 2,
  scenario: 'intel-srao-process',
  axis: 'qemu',
  seconds: 60,
  cells: [
    onQemu('5.2', 'skip', 'none', { problem: OLD }),
    onQemu('7.2', 'fail', 'none', { causes: [CAUSE] }),
    onQemu('10.0.13', 'pass', 'signalled'),
    onQemu('11.1.3', 'pass', 'signalled'),
  ],
  versions: ['5.2', '7.2', '10.0.2', '10.0.13', '11.1.3'],
});

/** What a bisection tried: the change is between 6.19.8 and 6.19.10, two kernels were not measured, one was not steady. */
export const BISECTED = JSON.stringify({
  schemaVersion: 1,
  scenario: 'amd-deferred',
  change: 'bad to good',
  seconds: 38,
  cells: [
    cell('6.19.6', 'fail', 'panicked', { causes: [CAUSE], phases: { ready: 1.26, injected: 1.74 }, restored: true }),
    cell('6.19.8', 'fail', 'panicked', { causes: [CAUSE] }),
    cell('6.19.10', 'pass', 'signalled'),
    cell('6.19.14', 'pass', 'signalled'),
  ],
  kernels: ['6.19.6', '6.19.8', '6.19.10', '6.19.11', '6.19.13', '6.19.14'],
  last: '6.19.8',
  first: '6.19.10',
  untested: [],
  tried: [{ version: '6.19.10', verdict: 'pass' }],
  unsteady: [{ version: '6.19.8', verdicts: ['fail', 'pass'] }],
  causes: [CAUSE],
});
