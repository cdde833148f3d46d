/** @module Where notices go, as the operator's configuration says. A policy cannot name one. */
import type { Json } from './template.ts';

interface Filter {
  /** Its name in the outbox, in logs and in metrics. */
  name: string;
  /** Types that it wants, `*` at the end for all that begin so; all where this is missing. */
  types?: readonly string[];
}

export interface WebhookTarget extends Filter {
  kind: 'webhook';
  url: string;
  /** Files with a secret each: two while one replaces the other. The first is the newest. */
  secretFiles: readonly string[];
  /** Networks (CIDR) that it may reach although they are not public: `127.0.0.1/32` for a receiver of one's own machine. */
  allow?: readonly string[];
  /** Bound of one try, ms. Default 10 s. */
  deadlineMs?: number;
  /** Sent in the place of the CloudEvent, for receivers with a form of their own: words in braces are filled in. */
  body?: Json;
}

export interface HookTarget extends Filter {
  kind: 'hook';
  /** Program and arguments, no shell. The notice comes on its standard input. */
  argv: readonly [string, ...string[]];
  deadlineMs?: number;
}

interface LogTarget extends Filter {
  kind: 'log';
}

export type Target = WebhookTarget | HookTarget | LogTarget;

/** What became of one try. Where it is not delivered it is tried again, for as long as it takes. */
export type Delivery = { ok: true } | { ok: false; why: string; retryAfterMs?: number };

/**
 * Whether a target wants notices of a type.
 * @example wants({ kind: 'log', name: 'journal', types: ['alert.*'] }, 'alert.unproven') // true
 */
export function wants(target: Target, type: string): boolean {
  if (target.types === undefined) return true;
  return target.types.some(t => (t.endsWith('*') ? type.startsWith(t.slice(0, -1)) : t === type));
}
