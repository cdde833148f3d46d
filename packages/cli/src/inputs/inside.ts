/** @module Bytes whose first ones say who takes them. */
import type { Target } from './bundle.ts';
import { SNIFFED, kindOf } from '@syndrome/decode/bundle/file-kind.ts';
import type { FileKind } from '@syndrome/decode/bundle/file-kind.ts';

/** Takes bytes, and gives them on when it is known what they are. */
export function bySniffing(choose: (kind: FileKind) => Target): Target {
  let head: Uint8Array = new Uint8Array(0);
  let target: Target | undefined;
  const begin = (): Promise<void> | undefined => {
    target = choose(kindOf(head));
    return target.push(head);
  };
  return {
    push(bytes) {
      if (target !== undefined) return target.push(bytes);
      head = Buffer.concat([head, bytes]);
      return head.length < SNIFFED ? undefined : begin();
    },
    async end() {
      if (target === undefined) await begin();
      await target?.end();
    },
  };
}
