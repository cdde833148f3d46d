import type * as Dns from 'node:dns';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import type { Notice } from '../core/notice.ts';
import type { WebhookTarget } from './target.ts';
import { receiver } from './testing/receiver.ts';
import { sendWebhook } from './webhook.ts';

/** Names that lead where somebody else's name server says. */
const NAMES: Record<string, string[]> = {
  'public.test': ['198.41.0.4'],
  'mixed.test': ['127.0.0.1', '198.41.0.4'],
  'here.test': ['127.0.0.1'],
};
vi.mock('node:dns', async original => ({
  ...(await original<typeof Dns>()),
  lookup: (host: string, _options: unknown, done: (error: null, found: Dns.LookupAddress[]) => void): void =>
    done(
      null,
      (NAMES[host] ?? []).map(address => ({ address, family: 4 })),
    ),
}));

const folder = mkdtempSync(join(tmpdir(), 'plain-'));
afterAll(() => rmSync(folder, { recursive: true }));
const secret = join(folder, 'secret');
writeFileSync(secret, `whsec_${Buffer.alloc(32, 7).toString('base64')}\n`, { mode: 0o600 });
const NOTICE: Notice = { id: 'i/tell', type: 'vm.down', severity: 'critical', at: 0, summary: 'It is down.' };
const to = (url: string): WebhookTarget => ({
  kind: 'webhook',
  name: 'ops',
  url,
  secretFiles: [secret],
  allow: ['127.0.0.0/8'],
  deadlineMs: 5000,
});

describe('a notice in clear', () => {
  it('goes only where all addresses of the name are allowed, public ones too', async () => {
    await using hook = await receiver();
    const { port } = new URL(hook.url);
    for (const host of ['public.test', 'mixed.test', '198.41.0.4']) {
      const sent = await sendWebhook(to(`http://${host}:${port}/`), 'lab', NOTICE, 0);
      expect(sent.ok ? 'delivered' : sent.why, host).toMatch(/plain http is for networks under allow/);
    }
    expect(hook.received).toEqual([]);
    expect(await sendWebhook(to(`http://here.test:${port}/`), 'lab', NOTICE, 0)).toEqual({ ok: true });
  });
});
