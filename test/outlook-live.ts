/**
 * Machine checks for which Linux has rules of single CPU models, or that meet a CPU which takes none, as runs of the lab: each
 * has to come to what the rules of the outlook say with certainty.
 */
import { Sandbox } from './program.ts';

/** One run, and what becomes of the system in it. */
interface LiveCase {
  name: string;
  /** -cpu of the guest. */
  cpu: string;
  outcome: string;
  /** Of `inject-mce`, besides the address. */
  inject: string;
  /** Added to the command line of the kernel. */
  append?: string;
  /** Hit while a process reads the page in user mode; else its page is only there. */
  reading?: true;
}

const SRAR = 'cpu: 0, bank: 1, status: 0xbd80000000000134, mcgstatus: 0xf';
const FETCH = 'cpu: 0, bank: 0, status: 0xbd80000000000150, mcgstatus: 0x4, broadcast: true';
const ZEN_FETCH = 'cpu: 0, bank: 1, status: 0xbd00080000000000, mcgstatus: 0x4';
const OVERFLOWED = 'cpu: 0, bank: 9, status: 0xfd00080000000000, mcgstatus: 0x7';
const PARITY = 'cpu: 0, bank: 0, status: 0x90000040000f0005';
const SRAO = 'record: srao, broadcast: true';
/** An emulated CPU has no SUCCOR; Linux from 6.15 on believes what its command line says. */
const SUCCOR = 'setcpuid=succor,overflow_recov';

/** The few that every machine test runs. */
export const LIVE_CASES: readonly LiveCase[] = [
  { name: 'string copy, Skylake-SP', cpu: 'Skylake-Server', inject: SRAR, reading: true, outcome: 'none' },
  { name: 'fetch, Sandy Bridge-EP', cpu: 'SandyBridge,model=45', inject: FETCH, reading: true, outcome: 'signalled' },
  { name: 'fetch, Zen', cpu: 'EPYC', append: SUCCOR, inject: ZEN_FETCH, reading: true, outcome: 'signalled' },
  { name: 'parity, Haswell', cpu: 'Haswell', inject: PARITY, outcome: 'none' },
  { name: 'a CPU that never came up', cpu: 'Skylake-Server', append: 'maxcpus=1', inject: SRAO, outcome: 'reset' },
];

/** Their neighbours, for which there is no such rule, and the other members of each kind. */
export const MORE_LIVE_CASES: readonly LiveCase[] = [
  { name: 'string copy, Cascade Lake', cpu: 'Cascadelake-Server', inject: SRAR, reading: true, outcome: 'none' },
  { name: 'string copy, Cooper Lake', cpu: 'Cooperlake', inject: SRAR, reading: true, outcome: 'none' },
  { name: 'no string copy, Ice Lake', cpu: 'Icelake-Server', inject: SRAR, reading: true, outcome: 'signalled' },
  { name: 'no fetch, Sandy Bridge', cpu: 'SandyBridge', inject: FETCH, reading: true, outcome: 'panicked' },
  {
    name: 'no fetch, another bank of Zen',
    cpu: 'EPYC',
    append: SUCCOR,
    inject: ZEN_FETCH.replace('bank: 1', 'bank: 2'),
    reading: true,
    outcome: 'panicked',
  },
  { name: 'parity, Skylake-SP', cpu: 'Skylake-Server', inject: PARITY, outcome: 'none' },
  { name: 'no parity, Ice Lake', cpu: 'Icelake-Server', inject: PARITY, outcome: 'logged' },
  {
    name: 'left over, Cezanne A0',
    cpu: 'EPYC,family=25,model=80,stepping=0',
    inject: 'cpu: 0, bank: 9, status: 0x8400000000000135',
    outcome: 'none',
  },
  {
    name: 'not left over, the next stepping',
    cpu: 'EPYC,family=25,model=80,stepping=1',
    inject: 'cpu: 0, bank: 9, status: 0x8400000000000135',
    outcome: 'logged',
  },
  {
    name: 'a GART table walk, family 10h',
    cpu: 'EPYC,family=16,model=2',
    inject: 'cpu: 0, bank: 4, status: 0x9400000000050011',
    outcome: 'none',
  },
  {
    name: 'bank 0 of a K7',
    cpu: 'EPYC,family=6,model=2',
    inject: 'cpu: 0, bank: 0, status: 0x9400000000000135',
    outcome: 'none',
  },
  {
    name: 'bank 1 of a K7',
    cpu: 'EPYC,family=6,model=2',
    inject: 'cpu: 0, bank: 1, status: 0x9400000000000135',
    outcome: 'logged',
  },
  {
    name: 'overflow, Bulldozer',
    cpu: 'EPYC,family=21,model=1',
    append: 'setcpuid=succor',
    inject: OVERFLOWED,
    reading: true,
    outcome: 'signalled',
  },
  {
    name: 'no overflow, Zen',
    cpu: 'EPYC',
    append: 'setcpuid=succor',
    inject: OVERFLOWED,
    reading: true,
    outcome: 'panicked',
  },
  { name: 'nr_cpus', cpu: 'Skylake-Server', append: 'nr_cpus=1', inject: SRAO, outcome: 'reset' },
  { name: 'possible_cpus', cpu: 'Skylake-Server', append: 'possible_cpus=1', inject: SRAO, outcome: 'reset' },
  { name: 'nolapic', cpu: 'Skylake-Server', append: 'nolapic', inject: SRAO, outcome: 'reset' },
  { name: 'nosmp', cpu: 'Skylake-Server', append: 'nosmp', inject: SRAO, outcome: 'reset' },
  { name: 'a flag that changes nothing', cpu: 'Skylake-Server,+mce,-avx512f', inject: SRAO, outcome: 'signalled' },
];

/** The scenario of a case. */
function liveScenario({ cpu, append = '', inject, reading, outcome }: LiveCase): string {
  const seen = outcome === 'logged' ? 'guest.mce' : 'vmm.memory-failure';
  const steps = [
    'spawn: { process: victim }',
    'on-signal: { process: victim, action: report }',
    'map: { process: victim, as: page, kill: early }',
    'check-interval: { seconds: 1 }',
    ...(reading ? ['spin: { process: victim, page: page, cpu: 0 }', 'pause: { cpu: 0, mode: user }'] : []),
    `inject-mce: { ${inject}, addr: $page, misc: 0x8c }`,
    ...(reading ? ['resume: {}'] : []),
    ...(outcome === 'none' || outcome === 'logged' ? ['alive: { within: 60s }'] : []),
  ];
  return `name: live
title: a machine check that is special
about: see the table of cases
why: see the rules of the outlook
sources: [Linux arch/x86/kernel/cpu/mce]
machine:
  { kind: linux-guest, cpu: "${cpu}", cpus: 2, memory: 256, append: "mce=30000000 mce=print_all ${append}" }
steps:
${steps.map(step => `  - ${step}\n`).join('')}expect:
  - within 60s: ${seen}
outcome: ${outcome}
settle: 2500ms
`;
}

interface Ran {
  outcome: string;
  verdict: string;
  /** Whether it came to what the outlook had said; undefined where that said nothing. */
  outlook: string | undefined;
}

/** Runs a case. */
export async function runLive(live: LiveCase): Promise<Ran> {
  const sandbox = new Sandbox();
  try {
    sandbox.write('live.yaml', liveScenario(live));
    const { stdout, stderr } = await sandbox.run('run', `${sandbox.dir}/live.yaml`, '--json', '--accel', 'tcg');
    if (stdout === '') throw new Error(stderr);
    const result = JSON.parse(stdout) as Omit<Ran, 'outlook'> & { expectations: { kind: string; status: string }[] };
    await sandbox.clean();
    return { ...result, outlook: result.expectations.find(e => e.kind === 'outlook')?.status };
  } finally {
    sandbox.remove();
  }
}
