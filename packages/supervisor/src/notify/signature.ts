/** @module Signatures of webhooks as Standard Webhooks 1.0.0 says ("Signature scheme", symmetric): HMAC-SHA256 of id, time and body. */
import { createHmac } from 'node:crypto';

/** Seconds since 1970, as in `webhook-timestamp`. */
type Seconds = number;

/**
 * The three headers of a signed webhook. The signature covers `id.timestamp.body`; with two secrets there are two, newest
 * first, so that a receiver that has only one of them finds its own.
 *
 * @param secrets the bytes of each secret, newest first; at least one
 * @example signedHeaders('inc-1/tell', 1_700_000_000, '{}', [key])['webhook-signature'] // 'v1,…'
 */
export function signedHeaders(
  id: string,
  timestamp: Seconds,
  body: string,
  secrets: readonly Uint8Array[],
): Record<string, string> {
  const signature = (secret: Uint8Array): string =>
    `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': secrets.map(signature).join(' '),
  };
}
