import type { TraceEvent, TraceHeader } from '@syndrome/trace/event.ts';
import { expect, test } from 'vitest';
import { scriptOf, scriptText } from './script.ts';

const said = (
  layer: TraceEvent['layer'],
  source: TraceEvent['source'],
  raw: string,
  more: Partial<TraceEvent> = {},
): Partial<TraceEvent> => ({ layer, source, raw, dir: 'receive', ...more }) as Partial<TraceEvent>;
const asked = (layer: TraceEvent['layer'], source: TraceEvent['source'], raw: string): Partial<TraceEvent> =>
  ({ layer, source, raw, dir: 'send' }) as Partial<TraceEvent>;
const lab = (name: string, fields: object): Partial<TraceEvent> =>
  ({ layer: 'lab', source: 'lab', name, fields }) as Partial<TraceEvent>;

const EXPECT = [
  'within 20s: guest.sigbus-sent comm=victim',
  'within 20s: process.signal addr=$page.virt',
  'within 30s: guest.alive',
];
const HEADER: TraceHeader = {
  type: 'trace',
  version: 2,
  tool: 'syndrome',
  scenario: 'a-case',
  startedAt: '2026-12-01T00:00:00.000Z',
  layers: ['vmm', 'guest', 'process'],
  expect: EXPECT,
  settle: 0,
  parts: {},
};

/** A run of a nested machine, as its trace has it: what matters of it. */
const EVENTS = [
  said('machine', 'qmp', '{"QMP": {"version": {}}}'),
  asked('machine', 'qmp', '{"execute":"qmp_capabilities","id":"syndrome-d8bd4a26-1"}'),
  said('machine', 'qmp', '{"return": {}, "id": "syndrome-d8bd4a26-1"}'),
  said('guest', 'agent', 'E ready version=1.0.0 boot=d8dd1ab1-230f t=4233564342'),
  lab('lab.step', { index: 1, step: 'map', text: 'map process=victim as=page' }),
  asked('guest', 'agent', '1 map proc=victim id=page'),
  said('guest', 'agent', 'R 1 ok virt=0x00007f4cb994d000 present=1 phys=0x000000000c523000 pid=97 t=44'),
  lab('lab.value', { name: 'page', value: '0x000000000c523000' }),
  lab('lab.value', { name: 'page.virt', value: '0x00007f4cb994d000' }),
  lab('lab.step', { index: 2, step: 'gpa2hpa', text: 'gpa2hpa address=$page as=hostpage' }),
  asked(
    'vmm',
    'qmp',
    '{"execute":"human-monitor-command","arguments":{"command-line":"gpa2hpa 0xc523000"},"id":"x-1"}',
  ),
  said('vmm', 'qmp', '{"return": "Host physical address for 0xc523000 (pc.ram) is 0x1d4e4000\\r\\n", "id": "x-1"}'),
  lab('lab.value', { name: 'hostpage', value: '0x000000001d4e4000' }),
  lab('lab.step', { index: 3, step: 'host-poison', text: 'host-poison address=$hostpage' }),
  lab('lab.injected', { kind: 'corrupt-pfn', addr: '0x000000001d4e4000' }),
  asked('host', 'agent', '9 hwpoison pfn=0x1d4e4'),
  said(
    'guest',
    'console',
    '[    4.499592] Memory failure: 0xc523: Sending SIGBUS to victim:97 due to hardware memory corruption',
    {
      name: 'guest.sigbus-sent',
      fields: { pfn: '0x000000000000c523', comm: 'victim', pid: 97 },
    } as Partial<TraceEvent>,
  ),
  said('host', 'agent', 'R 9 ok t=99'),
  said(
    'guest',
    'agent',
    'E signal proc=victim pid=97 code=5 addr=0x00007f4cb994d000 from=0x7fdd7a7e4000 lsb=12 t=4573064263',
  ),
  { layer: 'process', source: 'agent', name: 'process.signal', fields: { proc: 'victim', addr: '0x00007f4cb994d000' } },
  lab('lab.step', { index: 4, step: 'wait', text: 'wait for=process.signal' }),
  lab('lab.step', { index: 5, step: 'alive', text: 'alive' }),
  asked('guest', 'agent', '2 hello'),
  said('guest', 'agent', 'R 2 ok version=1.0.0 boot=d8dd1ab1-230f cpus=2 t=4592557879'),
  { layer: 'guest', source: 'lab', name: 'guest.alive', fields: {} },
  lab('lab.end', {}),
].map((event, i) => ({ seq: i + 1, t: (i + 1) * 1e6, ...event })) as TraceEvent[];

const STEPS = [
  { step: 'map', args: {} },
  { step: 'gpa2hpa', args: {} },
  { step: 'host-poison', args: {} },
  { step: 'wait', args: { for: 'process.signal addr=$page.virt', within: '20s' } },
  { step: 'alive', args: {} },
];

test('a run becomes lines to say and to wait for, with the numbers of the machine by name', () => {
  const script = scriptOf({ header: HEADER, events: EVENTS, steps: STEPS, nested: true });
  expect(scriptText(script, ['outer', 'hostConsole', 'hostAgent', 'qmp', 'console', 'agent'])).toBe(
    `channels: outer hostConsole hostAgent qmp console agent
outer < {"QMP": …
outer > {"execute":"qmp_capabilities"}
outer < "return": …

# map process=victim as=page
agent < E ready …
agent > 1 map proc=victim id=page
agent < R 1 ok … virt={page.virt} … phys={page} …

# gpa2hpa address=$page as=hostpage
qmp < {"QMP": …
qmp > {"execute":"human-monitor-command","arguments":{"command-line":"gpa2hpa {page}"}}
qmp < "return": … is {hostpage} …

# host-poison address=$hostpage
!
hostAgent < E ready …
hostAgent > 9 hwpoison pfn={hostpage>>12}
hostAgent < R 9 ok …

# wait for=process.signal
agent < E signal proc=victim pid=… code=5 addr={page.virt} from=… lsb=12…

# alive
agent > 2 hello
agent < R 2 ok …

# seen in the end
console = …Memory failure: {page>>12}: Sending SIGBUS to victim:… due to hardware memory corruption
agent = E signal proc=victim pid=… code=5 addr={page.virt} from=… lsb=12…
agent = R 2 ok version=1.0.0 boot=… cpus=2…
`,
  );
});

test('the end of a program that an agent was told to run comes before the next is said', () => {
  const events = [
    said('guest', 'agent', 'E ready t=1'),
    { layer: 'domu', source: 'console', name: 'domu.agent-ready', raw: 'E ready t=1' } as Partial<TraceEvent>,
    lab('lab.step', { index: 1, step: 'xen-p2m', text: 'xen-p2m address=134217728 as=frame' }),
    asked('guest', 'agent', '1 exec name=xen-tool argv=/bin/tool output=/run/tool.0'),
    said('guest', 'agent', 'R 1 ok proc=xen-tool pid=9 t=2'),
    said('guest', 'agent', 'E exit proc=victim pid=8 status=exited code=0 t=3'),
    said('guest', 'agent', 'E exit proc=xen-tool pid=9 status=exited code=0 t=4'),
    asked('guest', 'agent', '2 read path=/run/tool.0'),
    said('guest', 'agent', 'D 2 domain%200x5a600000'),
    said('guest', 'agent', 'R 2 ok bytes=18 t=5'),
    lab('lab.value', { name: 'frame', value: '0x000000005a600000' }),
    asked('vmm', 'qmp', 'mce 0 7 0xbd2000008000017a 0x5 0x5a600000 0x86'),
  ].map((event, i) => ({ seq: i + 1, t: i, ...event }) as TraceEvent);
  const lines = scriptOf({ header: { ...HEADER, expect: [] }, events, steps: [], nested: false });
  expect(lines.map(({ do: what, text }) => `${what} ${text}`)).toEqual([
    'await E line … E%20ready …',
    'step xen-p2m address=134217728 as=frame',
    'await E ready …',
    'send 1 exec name=xen-tool argv=/bin/tool output=/run/tool.0',
    'await R 1 ok …',
    'await E exit proc=xen-tool …',
    'send 2 read path=/run/tool.0',
    'await D 2 … domain%20{frame} …',
    'await R 2 ok …',
    'await {"QMP": …',
    'send mce 0 7 0xbd2000008000017a 0x5 {frame} 0x86',
  ]);
});

test('a number that is all that was read from a file comes right behind the number of the request', () => {
  const events = [
    said('guest', 'agent', 'E ready t=1'),
    asked('guest', 'agent', '1 read path=/sys/bus/cxl/devices/mem0/ram/size'),
    said('guest', 'agent', 'D 1 0x10000000'),
    said('guest', 'agent', 'R 1 ok size=11 t=2'),
    asked('guest', 'agent', '2 write path=/sys/bus/cxl/devices/region0/size value=0x10000000'),
  ].map((event, i) => ({ seq: i + 1, t: i, ...event }) as TraceEvent);
  const lines = scriptOf({ header: { ...HEADER, expect: [] }, events, steps: [], nested: false });
  expect(lines.map(({ text }) => text)).toContain('D 1 … {number1} …');
});
