/**
 * @module What a hunt varies: the steps around one or several machine checks. A genome is data; it becomes a scenario as anybody
 * may write one. Chance is a function of words, so that a hunt is the same for a seed. Pure.
 */
import { MCG_STATUS, MCI_STATUS_AMD, MCI_STATUS_INTEL } from '@syndrome/decode/mca/registers.ts';
import type { McaVendor } from '@syndrome/decode/mca/record.ts';

/** A machine check by the names of its fields. */
interface Inject {
  do: 'inject';
  bank: number;
  /** One-bit fields of MCi_STATUS and MCG_STATUS that are set, besides VAL. */
  flags: readonly string[];
  code: number;
  misc: number;
  address: (typeof ADDRESSES)[number];
}

/** What else happens, before, between and after machine checks. */
interface Act {
  do: (typeof ACTS)[number];
}

type Gene = Inject | Act;

/** A run of a hunt. */
export interface Genome {
  vendor: McaVendor;
  /** What the CPU does when it is stopped for the first machine check. */
  stopped: (typeof STOPPED)[number];
  genes: readonly Gene[];
}

const ADDRESSES = ['$page', '$own', '0', '0x100000', '0x800000000'] as const;
const STOPPED = ['idle', 'user', 'any'] as const;
/** The VM runs again; it is stopped; a process reads or writes its page; time passes, in which Linux polls. */
const ACTS = ['resume', 'pause', 'read', 'write', 'poll'] as const;
/** Error codes: none, memory scrubbing, reads, fetches, TLB, bus, timer, and what no manual has. */
const CODES = [0x0000, 0x00c0, 0x0134, 0x0135, 0x0150, 0x017a, 0x009f, 0x0014, 0x0e0b, 0x0400, 0x0405, 0xffff] as const;
const MISCS = [0x8c, 0x86, 0x1cc, 0x4c, 0x00, 0x3f] as const;
/** The banks that QEMU has. */
const BANKS = 10;
const MOST_GENES = 8;

/** Gives the next number below `below`, by chance. */
export type Chance = (below: number) => number;

const pick = <T>(chance: Chance, of: readonly T[]): T => of[chance(of.length)] as T;

/** The one-bit fields that a vendor's machine check may have. */
const flagsOf = (vendor: McaVendor): string[] =>
  [...(vendor === 'amd' ? MCI_STATUS_AMD : MCI_STATUS_INTEL).fields, ...MCG_STATUS.fields].flatMap(field =>
    field.kind === 'bit' && field.name !== 'VAL' ? [field.name] : [],
  );

function randomInject(vendor: McaVendor, chance: Chance): Inject {
  return {
    do: 'inject',
    bank: chance(BANKS),
    flags: flagsOf(vendor).filter(() => chance(2) === 0),
    code: pick(chance, CODES),
    misc: pick(chance, MISCS),
    address: pick(chance, ADDRESSES),
  };
}

const randomGene = (vendor: McaVendor, chance: Chance): Gene =>
  chance(3) === 0 ? randomInject(vendor, chance) : { do: pick(chance, ACTS) };

/** One machine check in a context, let go. */
export const randomGenome = (vendor: McaVendor, chance: Chance): Genome => ({
  vendor,
  stopped: pick(chance, STOPPED),
  genes: [randomInject(vendor, chance), { do: 'resume' }],
});

function changedInject(inject: Inject, vendor: McaVendor, chance: Chance): Inject {
  const flag = pick(chance, flagsOf(vendor));
  const flags = inject.flags.includes(flag) ? inject.flags.filter(one => one !== flag) : [...inject.flags, flag];
  return pick<Inject>(chance, [
    { ...inject, flags },
    { ...inject, flags },
    { ...inject, code: pick(chance, CODES) },
    { ...inject, misc: pick(chance, MISCS) },
    { ...inject, bank: chance(BANKS) },
    { ...inject, address: pick(chance, ADDRESSES) },
  ]);
}

const without = <T>(of: readonly T[], at: number): T[] => of.filter((_, i) => i !== at);

/** Whether it injects anything. */
export const isWhole = ({ genes }: Genome): boolean => genes.some(gene => gene.do === 'inject');

/** A genome that differs from one in one to three things; now and then it goes on with the steps of another one. */
export function mutated(genome: Genome, other: Genome, chance: Chance): Genome {
  let made = genome;
  for (let n = 1 + chance(3); n > 0; n--) {
    const { vendor, genes } = made;
    const at = chance(genes.length);
    const gene = genes[at] as Gene;
    const [next] = genes.slice(at + 1);
    const ways: Genome[] = [
      {
        ...made,
        genes: genes.with(at, gene.do === 'inject' ? changedInject(gene, vendor, chance) : randomGene(vendor, chance)),
      },
      { ...made, genes: genes.toSpliced(at, 0, randomGene(vendor, chance)) },
      { ...made, genes: without(genes, at) },
      { ...made, genes: next === undefined ? genes : genes.toSpliced(at, 2, next, gene) },
      { ...made, stopped: pick(chance, STOPPED) },
      { ...made, genes: [...genes.slice(0, at + 1), ...other.genes.slice(chance(other.genes.length))] },
    ];
    const tried = pick(chance, ways);
    if (isWhole(tried) && tried.genes.length <= MOST_GENES) made = tried;
  }
  return made;
}

/** Everything that is one step simpler: a step less, a flag less, the first value of something. */
export function* simpler(genome: Genome): Generator<Genome> {
  const { genes } = genome;
  for (const at of genes.keys()) {
    const less = { ...genome, genes: without(genes, at) };
    if (isWhole(less)) yield less;
  }
  if (genome.stopped !== STOPPED[0]) yield { ...genome, stopped: STOPPED[0] };
  for (const [at, gene] of genes.entries()) {
    if (gene.do !== 'inject') continue;
    const put = (more: Partial<Inject>): Genome => ({ ...genome, genes: genes.with(at, { ...gene, ...more }) });
    for (const flag of gene.flags) yield put({ flags: gene.flags.filter(one => one !== flag) });
    if (gene.code !== CODES[0]) yield put({ code: CODES[0] });
    if (gene.misc !== MISCS[0]) yield put({ misc: MISCS[0] });
    if (gene.bank !== 0) yield put({ bank: 0 });
    if (gene.address !== ADDRESSES[0]) yield put({ address: ADDRESSES[0] });
  }
}

const MODELS: Readonly<Record<McaVendor, { cpu: string; code: string }>> = {
  intel: { cpu: 'Skylake-Server', code: 'MCACOD' },
  amd: { cpu: 'EPYC', code: 'ERRORCODE' },
};

const hex = (n: number): string => `0x${n.toString(16)}`;

function stepOf(gene: Gene, vendor: McaVendor): string {
  switch (gene.do) {
    case 'inject': {
      const fields = ['VAL', ...gene.flags, `${MODELS[vendor].code}=${hex(gene.code)}`].join(' ');
      return `inject-mce: { bank: ${gene.bank}, vendor: ${vendor}, fields: "${fields}", addr: ${gene.address}, misc: ${hex(gene.misc)} }`;
    }
    case 'resume':
      return 'resume: {}';
    case 'pause':
      return 'pause: {}';
    case 'read':
      return 'touch: { process: victim, page: page }';
    case 'write':
      return 'touch: { process: victim, page: page, write: true }';
    case 'poll':
      return 'sleep: { for: 1500ms }';
  }
}

/** Steps that need a VM that runs: a stopped one answers nothing. */
const NEEDS_RUNNING: ReadonlySet<Gene['do']> = new Set(['read', 'write', 'poll']);

/** The steps, with the VM let go where one of them, or the end, would wait for ever. */
function stepsOf({ vendor, stopped, genes }: Genome): string[] {
  const steps: string[] = [];
  let stands = true;
  const go = (): void => {
    if (stands) steps.push('resume: {}');
    stands = false;
  };
  for (const gene of genes) {
    if (NEEDS_RUNNING.has(gene.do)) go();
    if (gene.do === 'resume' && !stands) continue;
    steps.push(stepOf(gene, vendor));
    if (gene.do === 'pause') stands = true;
    if (gene.do === 'resume') stands = false;
  }
  go();
  const spin = stopped === 'user' ? ['spin: { process: victim, page: own }'] : [];
  return [...spin, `pause: { mode: ${stopped} }`, ...steps];
}

/**
 * A genome as the text of a scenario.
 * @param told what the scenario is called, and what it expects
 */
export function scenarioText(
  genome: Genome,
  told: { name: string; title: string; outcome: string; expect: string },
): string {
  const { vendor } = genome;
  const steps = [
    'spawn: { process: victim }',
    'on-signal: { process: victim, action: report }',
    'map: { process: victim, as: own }',
    'map: { process: victim, as: page, kill: early }',
    'check-interval: { seconds: 1 }',
    ...stepsOf(genome),
    'alive: { within: 30s }',
    'sleep: { for: 1500ms }',
    'alive: { within: 30s }',
  ];
  return [
    `name: ${told.name}`,
    `title: ${JSON.stringify(told.title)}`,
    'about: A hunt by chance found these steps, and made them as few as show it.',
    'why: Nobody has looked into it yet.',
    'sources:',
    '  - syndrome hunt',
    `machine: { kind: linux-guest, cpu: ${MODELS[vendor].cpu}, cpus: 1, memory: 256, append: mce=print_all }`,
    'steps:',
    ...steps.map(step => `  - ${step}`),
    'expect:',
    `  - ${told.expect}`,
    `outcome: ${told.outcome}`,
    'timeout: 180s',
    '',
  ].join('\n');
}
