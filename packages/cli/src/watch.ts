import { safeText } from '@syndrome/decode/common/screen.ts';
import type { EventName } from '@syndrome/decode/events/catalog.ts';
import { DEFAULT_DEADLINE_MS, QmpClient, type TranscriptEntry } from '@syndrome/qemu/qmp/client.ts';
import { QmpClosedError } from '@syndrome/qemu/qmp/errors.ts';
import { summarize } from '@syndrome/trace/summary.ts';
import { qmpEvent } from '@syndrome/decode/text/qemu/qmp-events.ts';
import type { TraceEvent } from '@syndrome/trace/event.ts';
import { interruptSignal } from './interrupt.ts';
import { type GlobalOptions, print, printJson, say, stdoutStyle } from './output.ts';
import { qmpAddress } from './qmp-address.ts';

interface Options extends GlobalOptions {
  qmp: string;
  json?: boolean;
  all?: boolean;
  for?: number;
}

const BAD: ReadonlySet<EventName> = new Set<EventName>(['vmm.memory-failure', 'vmm.guest-panicked', 'vmm.reset']);

/** When an event happened by its own clock; now where it does not say, or says what no calendar has. */
function timeOf(stamp: { seconds: number; microseconds: number } | undefined): Date {
  const time = new Date(stamp ? stamp.seconds * 1000 + stamp.microseconds / 1000 : Number.NaN);
  return Number.isNaN(time.getTime()) ? new Date() : time;
}

/** Follows the events of a VM until it ends, or Ctrl-C, or `--for` seconds. Sends nothing but the negotiation. */
export async function watch(options: Options): Promise<void> {
  const signal = interruptSignal();
  const address = qmpAddress(options.qmp);
  const style = stdoutStyle(options);
  const start = process.hrtime.bigint();
  let seq = 0;
  const show = (entry: TranscriptEntry): void => {
    const message = entry.message as
      | { event?: unknown; data?: unknown; timestamp?: { seconds: number; microseconds: number } }
      | undefined;
    if (entry.direction !== 'receive' || typeof message?.event !== 'string') return;
    const known = qmpEvent({ event: message.event, data: message.data });
    if (known.name === 'vmm.event' && !options.all) return;
    const time = timeOf(message.timestamp).toISOString();
    if (options.json) {
      printJson({
        schemaVersion: 1,
        time,
        name: known.name,
        fields: known.fields,
        qmp: message,
      });
      return;
    }
    const event = {
      seq: ++seq,
      t: Number(entry.t - start),
      layer: 'vmm',
      source: 'qmp',
      name: known.name,
      fields: known.fields,
    } as TraceEvent;
    const bad = BAD.has(known.name);
    print(`${style('dim', time)}  ${style(bad ? 'red' : 'reset', safeText(summarize(event) ?? known.name, 300))}`);
  };
  // A peer that says nothing ends the watch no later than one that has nothing to tell.
  const most = options.for === undefined ? undefined : options.for * 1000;
  const began = Date.now();
  const deadline = most === undefined || most > DEFAULT_DEADLINE_MS ? {} : { deadlineMs: Math.max(1, most) };
  const client = await QmpClient.connect(address, { signal, onTranscript: show, ...deadline });
  const close = (): void => void client.close();
  let timer: NodeJS.Timeout | undefined;
  signal.addEventListener('abort', close, { once: true });
  try {
    const { version } = client.greeting;
    const status = await client.execute('query-status');
    const name = `QEMU ${version.major}.${version.minor}.${version.micro}`;
    say(`watching ${options.qmp}: ${name}, ${safeText(status.status, 100)}; Ctrl-C ends the watch, not the VM`);
    if (most !== undefined) timer = setTimeout(close, Math.max(0, most - (Date.now() - began)));
    const ended = await client.closed;
    if (!ended || signal.aborted) return;
    // Only where the peer hung up has the VM ended: a broken protocol or connection says nothing of it.
    if (!(ended instanceof QmpClosedError) || ended.cause !== undefined) throw ended;
    say(`the VM closed the connection: ${safeText(ended.message, 300)}`);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', close);
    await client.close();
  }
}
