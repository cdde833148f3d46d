import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { xenConsoleParser } from '../text/xen.ts';
import { guestAgentEvent } from './agent-events.ts';
import { Tape } from './tape.ts';
import { TRACE_VERSION } from './trace/event.ts';
import { TraceRecorder } from './trace/recorder.ts';

const ready = (kernel: string, cpus: number): string =>
  `E ready version=1.0.0 proto=1 kernel=${kernel} arch=x86_64 cpus=${cpus} pid1=1 t=1\n`;

test('an agent is ready once for each boot of its Linux, also behind half a line of the Linux that crashed', async () => {
  const header = { tool: 'test', scenario: 'x', startedAt: '', expect: [], settle: 0, parts: {} };
  const recorder = new TraceRecorder({ type: 'trace', version: TRACE_VERSION, ...header, outcome: 'none' });
  const tape = new Tape(recorder);
  const port = new PassThrough();
  const console = tape.lines('guest', 'console', xenConsoleParser());
  const agent = tape.agent(port as unknown as Socket, 'guest', guestAgentEvent);
  const said = async (text: string): Promise<void> => {
    port.write(text);
    await new Promise(setImmediate);
  };
  console('[    0.000000] Linux version 7.2.12 (x)');
  await said(ready('7.2.12', 2));
  await said(ready('7.2.12', 2));
  expect(recorder.index.named('guest.agent-ready')).toHaveLength(1);
  await said('E ready version=1.0.0 proto=1 kernel=7.2.1');
  console('(XEN) Executing kexec image on cpu0');
  console('[    0.000000] Linux version 7.2.12 (x)');
  await said(`\n${ready('7.2.12', 1)}`);
  expect(recorder.index.named('guest.agent-ready').map(e => e.fields?.cpus)).toEqual([2, 1]);
  await said(ready('7.2.12', 1));
  expect(recorder.index.named('guest.agent-ready')).toHaveLength(2);
  agent.close();
});
