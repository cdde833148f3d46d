import { hex64 } from '@syndrome/decode/common/hex.ts';
import type { Step } from './registry.ts';

/** What a step says of itself, on one line: `inject-mce record=srao addr=$page`. */
export function describeStep({ step, args }: Step): string {
  const shown = Object.entries(args).map(([key, value]) => {
    const plain =
      typeof value === 'bigint'
        ? hex64(value)
        : typeof value === 'object'
          ? JSON.stringify(value)
          : String(value as string | number | boolean);
    return `${key}=${plain}`;
  });
  return [step, ...shown].join(' ');
}
