/** @module The policies that come with the program. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Policy } from '../core/policy.ts';
import { parsePolicy } from './check.ts';

/** The first is what holds where nothing was said. */
export const SHIPPED = ['observe', 'notify', 'protect'] as const;

/** The text of a shipped policy, for somebody who wants one of his own. */
export function shippedText(name: (typeof SHIPPED)[number]): string {
  return readFileSync(join(import.meta.dirname, 'shipped', `${name}.yaml`), 'utf8');
}

/** A shipped policy. */
export function shippedPolicy(name: (typeof SHIPPED)[number]): Policy {
  return parsePolicy(shippedText(name), `${name}.yaml`);
}
