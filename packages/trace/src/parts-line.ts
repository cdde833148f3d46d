import { safeText } from '@syndrome/decode/common/screen.ts';
import type { TraceHeader } from './event.ts';

/** What the parts in the header of a trace are called, in the order they are shown: from the outside in. */
const LABELS: readonly (readonly [key: string, label: string])[] = [
  ['qemu', 'qemu'],
  ['xen', 'xen'],
  ['hostKernel', 'host kernel'],
  ['host', 'host cpu'],
  ['hostMemory', 'host memory'],
  ['hostQemu', 'host qemu'],
  ['kernel', 'kernel'],
  ['cpu', 'cpu'],
  ['memory', 'memory'],
];

/** `someKey` as `some key`, for parts this version does not know. */
const words = (key: string): string => key.replace(/(?<=[a-z0-9])[A-Z]/g, c => ` ${c.toLowerCase()}`);

/** What a part is called: `hostKernel` is the host kernel. */
export const partLabel = (key: string): string => LABELS.find(([name]) => name === key)?.[1] ?? words(key);

/** Whether a part says where something lies, not what it is. */
export const isPlace = (key: string): boolean => key.endsWith('Path');

/** An identity as people see it. */
const shortIdentity = (identity: string): string => identity.slice(0, 12);

/** One line on what the machine was made of; paths are left out. */
export function partsLine(parts: Readonly<Record<string, string>>): string {
  const nested = parts.hostKernel !== undefined;
  const inner = (label: string): string => (nested && /^(kernel|cpu|memory)$/.test(label) ? `guest ${label}` : label);
  const known = LABELS.filter(([key]) => Object.hasOwn(parts, key)).map(([key, label]) => [key, inner(label)] as const);
  const other = Object.keys(parts)
    .filter(key => !isPlace(key) && !LABELS.some(([name]) => name === key))
    .map(key => [key, words(key)] as const);
  return [...known, ...other].map(([key, label]) => safeText(`${label} ${parts[key] ?? ''}`, 200)).join(' · ');
}

/** What a time line begins with: what the machine was made of, and what the run is known by. */
export function runLine({ parts, identity }: Pick<TraceHeader, 'parts' | 'identity'>): string {
  return [partsLine(parts), ...(identity === undefined ? [] : [`identity ${shortIdentity(identity.run)}`])]
    .filter(text => text !== '')
    .join(' · ');
}
