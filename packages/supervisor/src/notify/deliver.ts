/** @module The way of a notice to one of its targets. The outbox of the controller calls this, again and again until it is delivered. */
import { escapeJson } from '@syndrome/decode/common/screen.ts';
import type { Notice } from '../core/notice.ts';
import { cloudEvent } from './cloud-event.ts';
import { checkHook, runHook } from './hook.ts';
import { playbookAt } from './playbooks.ts';
import type { Delivery, Target } from './target.ts';
import { checkWebhook, sendWebhook } from './webhook.ts';

/** What sending needs beside the notice. */
export interface Sender {
  /** The operator's name of this site. */
  site: string;
  /** Where playbooks are: an https URL, or a folder; those that come with the program where this is missing. */
  playbooks?: string | undefined;
  /** ms UTC. */
  now(): number;
  /** Takes a line of the log. */
  log(line: string): void;
}

/**
 * @returns in what it is weaker than it could be, for a person; undefined where it is not
 * @throws NotifyError for what can be known to be wrong of a target before anything is sent
 */
export function checkTarget(target: Target): string | undefined {
  if (target.kind === 'hook') return checkHook(target);
  if (target.kind === 'webhook') checkWebhook(target);
  return undefined;
}

/**
 * One try to deliver a notice to one target. Never rejects.
 * @example await deliver(sender, { kind: 'log', name: 'journal' }, notice) // { ok: true }
 */
export async function deliver(sender: Sender, target: Target, said: Notice, signal?: AbortSignal): Promise<Delivery> {
  const { playbook } = said;
  const notice = playbook === undefined ? said : { ...said, playbook: playbookAt(playbook, sender.playbooks) };
  if (target.kind === 'webhook') return sendWebhook(target, sender.site, notice, sender.now(), signal);
  if (target.kind === 'hook') return runHook(target, sender.site, notice, signal);
  sender.log(escapeJson(JSON.stringify(cloudEvent(sender.site, notice))));
  return { ok: true };
}
