import { createHmac, randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Notice } from '../core/notice.ts';
import { cloudEvent } from './cloud-event.ts';
import { checkTarget, deliver } from './deliver.ts';
import { NotifyError } from './errors.ts';
import { receiver } from './testing/receiver.ts';
import { signedHeaders } from './signature.ts';
import type { WebhookTarget } from './target.ts';

const folder = mkdtempSync(join(tmpdir(), 'notify-'));
afterAll(() => rmSync(folder, { recursive: true }));

function secretFile(name: string, mode = 0o600): { path: string; key: Buffer } {
  const key = randomBytes(32);
  const path = join(folder, name);
  writeFileSync(path, `whsec_${key.toString('base64')}\n`);
  chmodSync(path, mode);
  return { path, key };
}
const [fresh, older] = [secretFile('fresh'), secretFile('older')];

const NOTICE: Notice = {
  id: 'inc-7/tell',
  type: 'vm.memory.poisoned',
  severity: 'warning',
  at: Date.UTC(2026, 10, 29),
  incident: 'inc-7',
  host: 'a',
  vm: 'db',
  vmName: 'db "1"}\u001b[2J\n',
  summary: 'A page of memory was lost.',
  lost: { gpa: 0x1234_5000n, bytes: 4096, process: 'mysqld' },
  playbook: 'poisoned-page.md',
};
const NOW = 1_764_374_400_000;
const sender = { site: 'lab', playbooks: '/books', now: () => NOW, log: () => undefined };
const target = (url: string, more: Partial<WebhookTarget> = {}): WebhookTarget => ({
  kind: 'webhook',
  name: 'ops',
  url,
  secretFiles: [fresh.path],
  allow: ['127.0.0.1/32'],
  ...more,
});
const codeOf = (f: () => unknown): string | undefined => {
  try {
    f();
  } catch (error) {
    if (error instanceof NotifyError) return error.code;
    throw error;
  }
  return undefined;
};

describe('a signature', () => {
  it('is that of the example of Standard Webhooks', () => {
    const secret = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');
    const headers = signedHeaders('msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330, '{"test": 2432232314}', [secret]);
    expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });
});

describe('a webhook', () => {
  it('gets a CloudEvent that each of two secrets has signed', async () => {
    await using hook = await receiver();
    const to = target(hook.url, { secretFiles: [fresh.path, older.path] });
    checkTarget(to);
    expect(await deliver(sender, to, NOTICE)).toEqual({ ok: true });
    const [{ headers, body } = { headers: {}, body: '' }] = hook.received;
    expect(JSON.parse(body)).toEqual(cloudEvent('lab', { ...NOTICE, playbook: '/books/poisoned-page.md' }));
    expect(headers['content-type']).toBe('application/cloudevents+json');
    expect(headers['webhook-id']).toBe(NOTICE.id);
    expect(headers['webhook-timestamp']).toBe(String(NOW / 1000));
    const expected = [fresh, older].map(
      ({ key }) =>
        `v1,${createHmac('sha256', key)
          .update(`inc-7/tell.${NOW / 1000}.${body}`)
          .digest('base64')}`,
    );
    expect(String(headers['webhook-signature']).split(' ')).toEqual(expected);
  });

  it('has the same id, source and body on every try', async () => {
    await using hook = await receiver([{ status: 500 }, { status: 204 }]);
    expect(await deliver(sender, target(hook.url), NOTICE)).toMatchObject({ ok: false, why: 'HTTP 500' });
    expect(await deliver({ ...sender, now: () => NOW + 60_000 }, target(hook.url), NOTICE)).toEqual({ ok: true });
    const [first, second] = hook.received;
    expect(second?.body).toBe(first?.body);
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
    expect(second?.headers['webhook-timestamp']).not.toBe(first?.headers['webhook-timestamp']);
  });

  it.each([
    [{ status: 429, headers: { 'retry-after': '120' } }, 120_000],
    [{ status: 503, headers: { 'retry-after': new Date(NOW + 90_000).toUTCString() } }, 90_000],
    [{ status: 503, headers: { 'retry-after': '999999' } }, 3_600_000],
    [{ status: 503, headers: { 'retry-after': 'soon' } }, undefined],
  ])('says when to try again: %j', async (answer, retryAfterMs) => {
    await using hook = await receiver([answer]);
    const delivery = await deliver(sender, target(hook.url), NOTICE);
    expect(delivery.ok).toBe(false);
    expect('retryAfterMs' in delivery ? delivery.retryAfterMs : undefined).toBe(retryAfterMs);
  });

  it('is not sent on to where a redirect points, and shows what a receiver answers without obeying it', async () => {
    await using other = await receiver();
    await using hook = await receiver([
      { status: 307, headers: { location: other.url } },
      { status: 400, body: `\u001b[31mno${'x'.repeat(100_000)}` },
    ]);
    expect(await deliver(sender, target(hook.url), NOTICE)).toMatchObject({ ok: false, why: 'HTTP 307' });
    const refused = await deliver(sender, target(hook.url), NOTICE);
    expect(refused.ok ? '' : refused.why).toMatch(/^HTTP 400: /);
    expect(refused.ok ? '' : refused.why).not.toContain('\u001b');
    expect(refused.ok ? 9999 : refused.why.length).toBeLessThan(300);
    expect(other.received).toEqual([]);
  });

  it('ends a try at its deadline, and when it is told to', async () => {
    await using hook = await receiver([
      { status: 200, silent: true },
      { status: 200, silent: true },
    ]);
    expect(await deliver(sender, target(hook.url, { deadlineMs: 50 }), NOTICE)).toEqual({
      ok: false,
      why: 'no answer within 50 ms',
    });
    const stop = new AbortController();
    const going = deliver(sender, target(hook.url), NOTICE, stop.signal);
    stop.abort();
    expect((await going).ok).toBe(false);
  });

  it('reaches nothing that is not public, by address or by name, unless it is allowed', async () => {
    await using hook = await receiver();
    const { port } = new URL(hook.url);
    const hosts = ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '0.0.0.0', '2130706433', '0x7f.1'];
    for (const host of hosts) {
      const delivery = await deliver(sender, target(`http://${host}:${port}/`, { allow: ['10.0.0.0/8'] }), NOTICE);
      expect(delivery.ok ? 'delivered' : delivery.why, host).toMatch(/not public/);
    }
    expect(hook.received).toEqual([]);
    expect(await deliver(sender, target(`http://[::ffff:127.0.0.1]:${port}/`), NOTICE)).toEqual({ ok: true });
  });

  it('fills a body of the operator’s own without letting a value out of its text', async () => {
    await using hook = await receiver();
    const body = {
      text: '{severity}: {vmName} lost {lost}',
      fields: [{ title: '{type}', value: 1, on: true, none: null }],
    };
    const to = target(hook.url, { body });
    checkTarget(to);
    await deliver(sender, to, { ...NOTICE, summary: '{host}' });
    const sent = JSON.parse(hook.received[0]?.body ?? '') as { text: string; fields: unknown };
    expect(sent.text).toMatch(/^warning: db "1"\}.*lost guest page 0x0000000012345000, 4096 bytes, process mysqld$/);
    expect(sent.text).not.toMatch(/[\u001b\n]/);
    expect(sent.fields).toEqual([{ title: 'vm.memory.poisoned', value: 1, on: true, none: null }]);
  });
});

describe('the configuration of a webhook', () => {
  const open = secretFile('open', 0o640);
  const link = join(folder, 'link');
  symlinkSync(fresh.path, link);
  const short = join(folder, 'short');
  writeFileSync(short, 'whsec_QUJD\n', { mode: 0o600 });
  it.each<[string, Partial<WebhookTarget>, string | undefined]>([
    ['no URL', { url: 'nowhere' }, 'E_NOTIFY_URL'],
    ['another scheme', { url: 'file:///etc/passwd' }, 'E_NOTIFY_URL'],
    ['a password', { url: 'https://me:secret@example.org/' }, 'E_NOTIFY_URL'],
    ['plain http to anybody', { url: 'http://example.org/', allow: [] }, 'E_NOTIFY_URL'],
    ['plain http to an address that is not allowed', { url: 'http://8.8.8.8/', allow: ['10.0.0.0/8'] }, 'E_NOTIFY_URL'],
    ['plain http to one that is', { url: 'http://[::ffff:10.1.2.3]/', allow: ['10.0.0.0/8'] }, undefined],
    ['a network that is none', { url: 'https://example.org/', allow: ['10.0.0.0/33'] }, 'E_NOTIFY_URL'],
    ['no secret', { secretFiles: [] }, 'E_NOTIFY_URL'],
    ['a secret that others may read', { secretFiles: [open.path] }, 'E_NOTIFY_SECRET'],
    ['a link', { secretFiles: [link] }, 'E_NOTIFY_SECRET'],
    ['a secret that is too short', { secretFiles: [short] }, 'E_NOTIFY_SECRET'],
    ['no such file', { secretFiles: [join(folder, 'none')] }, 'E_NOTIFY_SECRET'],
    ['a word that no notice has', { body: { text: '{vmname}' } }, 'E_NOTIFY_TEMPLATE'],
    ['nothing wrong', {}, undefined],
  ])('%s', (_what, more, code) => {
    expect(codeOf(() => checkTarget(target('https://example.org/hook', more)))).toBe(code);
  });

  it('never shows a secret', () => {
    writeFileSync(join(folder, 'odd'), 'hunter2\n', { mode: 0o600 });
    expect(() => checkTarget(target('https://example.org/', { secretFiles: [join(folder, 'odd')] }))).toThrow(
      /^(?!.*hunter2)/,
    );
  });
});
