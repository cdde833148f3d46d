/** @module What `start` gets on another host, in an envelope that says whose it is. */
import { parseObject } from '@syndrome/decode/common/json.ts';

/** @example wrapped('qemu-server/100') // '{"schema":1,"vmm":"exec","definition":"qemu-server/100"}' */
export const wrapped = (text: string): string => JSON.stringify({ schema: 1, vmm: 'exec', definition: text });

/** The definition that a program gave; undefined for that of another VMM. */
export function unwrapped(text: string | undefined): string | undefined {
  const { schema, vmm, definition } = parseObject(text ?? '') ?? {};
  return schema === 1 && vmm === 'exec' && typeof definition === 'string' ? definition : undefined;
}

/** Whether a definition is one that a program gave. */
export const isExecDefinition = (text: string): boolean => unwrapped(text) !== undefined;
