/** @module The agent's line about a signal that a process got: `E signal proc=victim … codename=BUS_MCEERR_AR addr=0x…`. */
import type { FieldValue } from '../event.ts';
import type { EventItem } from '../item.ts';
import { hexU64 } from '../transport/line.ts';

const SIGNAL = /^E signal (.{1,512})$/;
const PAIR = /\b([a-z]{2,8})=(\S{1,64})/g;

/** The event, when the signal is one of a memory error. */
export function agentSignal(text: string, lineNumber: number): EventItem | undefined {
  const m = SIGNAL.exec(text);
  if (m === null) return undefined;
  const words = new Map([...(m[1] ?? '').matchAll(PAIR)].map(p => [p[1] ?? '', p[2] ?? '']));
  const code = words.get('codename');
  if (code !== 'BUS_MCEERR_AO' && code !== 'BUS_MCEERR_AR') return undefined;
  const fields: Record<string, FieldValue> = { comm: words.get('proc') ?? '' };
  for (const name of ['pid', 'lsb']) {
    const value = words.get(name);
    if (value !== undefined && /^\d{1,9}$/.test(value)) fields[name] = Number(value);
  }
  fields['code'] = code;
  const virt = hexU64(words.get('addr'));
  if (virt !== undefined) fields['virt'] = virt;
  return { type: 'event', form: 'agent', name: 'process-sigbus', fields, firstLine: lineNumber, lastLine: lineNumber };
}
