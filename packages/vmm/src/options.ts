import { parseArgs } from 'node:util';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { MAX_VCPUS } from './layout.ts';
import type { QuarantinePolicy } from './threads.ts';

/** Whether to opt in to KVM_EXIT_ARM_SEA: where the host kernel has it, on any account, or not at all. */
export type SeaChoice = 'auto' | 'on' | 'off';

export interface Options {
  kernel: string;
  initrd: string | undefined;
  append: string;
  memoryBytes: number;
  vcpus: number;
  name: string;
  console: string;
  agent: string | undefined;
  events: string;
  control: string | undefined;
  sea: SeaChoice;
  quarantine: QuarantinePolicy;
  hugePages: boolean;
  maxErrors: number;
  onThreshold: 'report' | 'stop';
}

export const USAGE = `usage: node packages/vmm/src/main.ts --kernel IMAGE [options]

  --kernel FILE        uncompressed arm64 Image
  --initrd FILE        initramfs
  --append TEXT        kernel command line
  --memory SIZE        guest memory: 512M, 1G (default 512M)
  --vcpus N            1 to ${MAX_VCPUS} (default 1)
  --name NAME          the machine's name in events (default vm)
  --console CHANNEL    the guest's ttyS0 (default fd:1): a path (terminal, FIFO, file) or fd:N
  --agent CHANNEL      the guest's ttyS1
  --events CHANNEL     events as NDJSON (default fd:2)
  --control CHANNEL    requests as NDJSON: page, quarantine, stop; a FIFO is made where the path has nothing
  --sea auto|on|off    take KVM_EXIT_ARM_SEA (default auto: where the host kernel has it, and the event "started" says
                       whether it is enabled); on: a host kernel without it is an error; off: KVM injects an SError,
                       as ever
  --quarantine now|on-request|off
                       what happens to a poisoned page (default now)
  --huge-pages on|off  let the host back guest memory with huge pages (default on)
  --max-errors N       poisoned pages from which the machine is to leave this host (default 4)
  --on-threshold report|stop
                       what happens then (default report)

Exit codes: 0 the guest shut down or was stopped, 1 failure, 2 wrong usage, 3 the guest reset itself, 4 stopped at the
threshold.
`;

/** Reads the command line. Throws UsageError E_VMM_USAGE. */
export function parseOptions(argv: readonly string[]): Options {
  const text = { type: 'string' } as const;
  let values: Record<string, string | undefined>;
  try {
    ({ values } = parseArgs({
      args: [...argv],
      options: {
        kernel: text,
        initrd: text,
        append: text,
        memory: text,
        vcpus: text,
        name: text,
        console: text,
        agent: text,
        events: text,
        control: text,
        sea: text,
        quarantine: text,
        'huge-pages': text,
        'max-errors': text,
        'on-threshold': text,
      },
    }));
  } catch (error) {
    throw usage((error as Error).message);
  }
  const choice = <T extends string>(name: string, known: readonly [T, ...T[]]): T => {
    const given = values[name] ?? known[0];
    const found = known.find(value => value === given);
    if (found === undefined) throw usage(`--${name} is ${known.join(' or ')}, not ${given}`);
    return found;
  };
  const count = (name: string, fallback: number, highest: number): number => {
    const given = values[name] ?? String(fallback);
    const value = Number(given);
    if (!/^\d+$/.test(given) || value < 1 || value > highest) throw usage(`--${name} is a number from 1 to ${highest}`);
    return value;
  };
  if (values['kernel'] === undefined) throw usage('--kernel is missing');
  return {
    kernel: values['kernel'],
    initrd: values['initrd'],
    append: values['append'] ?? '',
    memoryBytes: memorySize(values['memory'] ?? '512M'),
    vcpus: count('vcpus', 1, MAX_VCPUS),
    name: values['name'] ?? 'vm',
    console: values['console'] ?? 'fd:1',
    agent: values['agent'],
    events: values['events'] ?? 'fd:2',
    control: values['control'],
    sea: choice('sea', ['auto', 'on', 'off']),
    quarantine: choice('quarantine', ['now', 'on-request', 'off']),
    hugePages: choice('huge-pages', ['on', 'off']) === 'on',
    maxErrors: count('max-errors', 4, 1_000_000),
    onThreshold: choice('on-threshold', ['report', 'stop']),
  };
}

const MIB = 1 << 20;
const MEMORY_LIMIT_MIB = 1 << 18;

function memorySize(given: string): number {
  const match = /^(\d{1,6})([MG])$/.exec(given);
  const mib = Number(match?.[1]) * (match?.[2] === 'G' ? 1024 : 1);
  if (!match || mib < 64 || mib > MEMORY_LIMIT_MIB) throw usage('--memory is a size such as 512M or 2G, 64M or more');
  return mib * MIB;
}

const usage = (message: string): UsageError => new UsageError('E_VMM_USAGE', message, { hint: USAGE });
