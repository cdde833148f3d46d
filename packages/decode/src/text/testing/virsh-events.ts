/** The events in what virsh prints. No room reads it line by line but `decode`, with all other logs. */
import type { LogEvent } from '../../events/event.ts';
import { VirshReader } from '../libvirt/virsh-reader.ts';

export function virshEvents(lines: readonly string[]): LogEvent[] {
  const events: LogEvent[] = [];
  const reader = new VirshReader(item => {
    if (item.type === 'event') events.push({ name: item.name, fields: item.fields } as LogEvent);
  });
  for (const [i, line] of lines.entries()) reader.push(line, i + 1);
  reader.end();
  return events;
}
