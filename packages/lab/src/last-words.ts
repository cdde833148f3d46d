import type { TraceEvent } from '@syndrome/trace/event.ts';

const LINES = 3;

/**
 * What was said last before a machine failed to start, as the end of a sentence: by the VMM when that is what has ended
 * and it left a word, else on the consoles.
 */
export function lastWords(events: readonly TraceEvent[], vmmEnded: boolean): string {
  const tail = (wanted: (event: TraceEvent) => boolean): string =>
    events
      .filter(e => wanted(e) && e.raw !== undefined && e.raw !== '')
      .slice(-LINES)
      .map(e => e.raw)
      .join(' / ');
  const vmm = vmmEnded ? tail(e => e.layer === 'vmm' && e.source === 'stderr') : '';
  if (vmm !== '') return `; the VMM said: ${vmm}`;
  const console = tail(e => e.source === 'console');
  return console === '' ? '; the console is silent' : `; the console's last lines: ${console}`;
}
