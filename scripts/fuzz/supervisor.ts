/** Fuzz targets of what agents, controller and command line send each other. */
import { parseAnswer, parseAsk } from '@syndrome/supervisor/wire/admin.ts';
import { WireError } from '@syndrome/supervisor/wire/errors.ts';
import { messageLine, parseAgentMessage, parseControllerMessage } from '@syndrome/supervisor/wire/messages.ts';
import { parseRow, rowLine } from '@syndrome/supervisor/wire/row.ts';
import type { Chance } from '../chance.ts';
import { spoiledJson, spoiledText } from './junk.ts';
import { attempt, differences } from './oracles.ts';
import type { Target } from './target.ts';

const EVENT = {
  name: 'host.memory-failure',
  fields: { pfn: '0x0000000000001234', page: 'dirty LRU page', result: 'Recovered' },
  record: { kind: 'x86-mca', bank: 5, status: '0xbd000000000000c0', addr: '0x0000000012345678' },
};
const PROOF = {
  kind: 'process-gone',
  vm: 'v',
  host: 'a',
  epoch: 0,
  at: 1,
  evidence: { pid: '100', process: 'absent' },
};
const SAID = [
  {
    kind: 'event',
    source: 'kmsg',
    event: EVENT,
    vm: 'v',
    count: 2,
    gpa: '0x0000000000300000',
    where: { dimm: 'DIMM_A1' },
  },
  { kind: 'source', source: 'qmp', state: 'back', gapMs: 20, lostEvents: 1 },
  {
    kind: 'host',
    boot: 'b',
    arch: 'arm64',
    kernel: '6',
    memoryBytes: 1,
    freeBytes: 1,
    cpuModels: [],
    storage: ['x'],
    unapplied: ['0x0000000000000001'],
  },
  {
    kind: 'vm',
    vm: 'v',
    name: 'v',
    state: 'running',
    vmm: 'qemu',
    disks: [],
    memoryBytes: 1,
    autostart: false,
    optedIn: true,
    epoch: 3,
  },
  { kind: 'result', action: 'inc-1/stop/a/v/0', epoch: 0, state: 'confirmed', proof: PROOF },
];
const MESSAGES: readonly object[] = [
  { type: 'hello', version: 1, host: 'a', spool: 's', agent: '0.1' },
  { type: 'rows', rows: SAID.map((said, i) => ({ seq: i + 1, at: 5, said })) },
  { type: 'pong', n: 1 },
  { type: 'ack', upto: 12 },
  {
    type: 'act',
    act: {
      id: 'i',
      kind: 'stop',
      host: 'a',
      vm: 'v',
      epoch: 1,
      incident: 'inc-1',
      deadline: 9,
      pfn: '0x0000000000000001',
    },
  },
  {
    id: 1,
    question: { ask: 'order', by: 'ann', order: { order: 'attest', vm: 'v', host: 'a', epoch: 1, statement: 's' } },
  },
  { id: 1, error: { code: 'E_X', message: 'm' } },
];
const LINES = MESSAGES.map(message => JSON.stringify(message));

function anyLine(chance: Chance): string {
  const message = chance.pick(MESSAGES);
  const line = chance.oneIn(2) ? JSON.stringify(spoiledJson(chance, message)) : JSON.stringify(message);
  return chance.oneIn(3) ? spoiledText(chance, line, LINES) : line;
}

const WIRE: Target = {
  name: 'wire:messages',
  holds:
    'a line of a peer: a message, or a WireError of one line; what was read is the same when it is written and read again',
  weight: 30,
  open: () => chance => {
    const line = anyLine(chance);
    const wrong: string[] = [];
    for (const parse of [parseAgentMessage, parseControllerMessage]) {
      const { value, wrong: thrown } = attempt(() => parse(line), [WireError]);
      wrong.push(...thrown);
      if (value !== undefined) wrong.push(...differences('read again', parse(messageLine(value)), value));
    }
    for (const parse of [parseAsk, parseAnswer]) wrong.push(...attempt(() => parse(line), [WireError]).wrong);
    return wrong;
  },
};

const ROWS: Target = {
  name: 'wire:rows',
  holds: 'a line of a spool: a row, or a WireError; a row that was read can be spooled again',
  weight: 30,
  open: () => chance => {
    const row = JSON.stringify(spoiledJson(chance, { seq: 1, at: 2, said: chance.pick(SAID) }));
    const line = chance.oneIn(4) ? spoiledText(chance, row, LINES) : row;
    const { value, wrong } = attempt(() => parseRow(line, 'h', 's'), [WireError]);
    if (value !== undefined) wrong.push(...differences('spooled again', parseRow(rowLine(value), 'h', 's'), value));
    return wrong;
  },
};

export const SUPERVISOR: readonly Target[] = [WIRE, ROWS];
