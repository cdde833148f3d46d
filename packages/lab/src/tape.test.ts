import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { linuxEvents, xenEvents } from '@syndrome/decode/text/event-reader.ts';
import { agentEvent } from '@syndrome/decode/text/syndrome/agent-events.ts';
import { Tape } from './tape.ts';
import { TRACE_VERSION } from '@syndrome/trace/event.ts';
import { TraceRecorder } from './trace/recorder.ts';

function newTape(): { recorder: TraceRecorder; tape: Tape } {
  const header = { tool: 'test', scenario: 'x', startedAt: '', layers: [], expect: [], settle: 0, parts: {} };
  const recorder = new TraceRecorder({ type: 'trace', version: TRACE_VERSION, ...header, outcome: 'none' });
  return { recorder, tape: new Tape(recorder) };
}

const ready = (boot: string, cpus: number): string =>
  `E ready version=1.0.0 proto=1 kernel=7.2.12 arch=x86_64 boot=${boot} cpus=${cpus} pid1=1 t=1\n`;

test.each([
  ['half a line', 'E ready version=1.0.0 proto=1 kernel=7.2.1'],
  ['a line without its end', ready('a', 2).trimEnd()],
])('an agent is ready once for each boot of its Linux, also behind %s of the Linux that crashed', async (_, left) => {
  const { recorder, tape } = newTape();
  const port = new PassThrough();
  const agent = tape.agent(port, 'guest', said => agentEvent(said.name, said.fields, 'guest'));
  const said = async (text: string): Promise<void> => {
    port.write(text);
    await new Promise(setImmediate);
  };
  await said(ready('a', 2));
  await said(ready('a', 2));
  expect(recorder.index.named('guest.agent-ready')).toHaveLength(1);
  await said(left);
  await said(`\n${ready('b', 1)}`);
  expect(recorder.index.named('guest.agent-ready').map(e => e.fields?.cpus)).toEqual([2, 1]);
  await said(ready('b', 1));
  expect(recorder.index.named('guest.agent-ready')).toHaveLength(2);
  agent.close();
});

test.each([
  ['of Xen and dom0', xenEvents, ['xen', 'xen', 'guest']],
  ['of a Linux, which may print anything', linuxEvents, ['guest', 'guest', 'guest']],
] as const)('a line belongs to the layer that wrote it, on a console %s', (_, reader, layers) => {
  const { recorder, tape } = newTape();
  const sink = tape.lines('guest', 'console', reader());
  for (const line of ['(XEN) nothing that is known', '(XEN)', 'nothing that is known (XEN) ']) sink(line);
  expect(recorder.events.map(e => e.layer)).toEqual(layers);
});
