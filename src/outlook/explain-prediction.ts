/** @module A prediction in words. */
import { hex64 } from '../common/hex.ts';
import { FIELDS } from './context.ts';
import type { Settings } from './context.ts';
import type { OutlookOutcome, Prediction } from './prediction.ts';

const WHO: Record<Prediction['consumer'], string> = { linux: 'Linux', xen: 'Xen', qemu: 'QEMU', kvm: 'KVM' };

const WHAT: Record<OutlookOutcome, string> = {
  'vmm-died': 'the VMM process ends',
  reset: 'the machine is reset',
  panicked: 'panics',
  hung: 'hangs',
  killed: 'kills the process',
  signalled: 'signals the process with SIGBUS; it lives',
  logged: 'logs the error and goes on',
  none: 'nothing happens',
  forwarded: 'passes the error on to the next layer',
};

/** A setting's value as text. */
export function settingText(value: Settings[keyof Settings]): string {
  if (typeof value === 'bigint') return hex64(value);
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value);
}

/** `Linux 6.19.6: panics` in one line. */
export function headline(prediction: Prediction): string {
  const { consumer, context, outcome } = prediction;
  const version = context.version === undefined ? '' : ` ${context.version}`;
  const how = [context.delivery, context.running].filter(x => x !== undefined).join(', ');
  return `${WHO[consumer]}${version}${how === '' ? '' : ` (${how})`}: ${WHAT[outcome]}`;
}

/** The whole prediction, one line per element: outcome, rules in order, messages, and what it depends on. */
export function explainPrediction(prediction: Prediction): string[] {
  const lines = [headline(prediction)];
  for (const { rule, effect } of prediction.steps) {
    lines.push(`  ${rule.text}`, `    -> ${effect} [${rule.id}; ${rule.evidence}; ${rule.source}]`);
  }
  if (prediction.messages.length > 0) lines.push('  prints:', ...prediction.messages.map(m => `    ${m}`));
  for (const { name, data } of prediction.events) {
    const fields = Object.entries(data).map(([key, value]) => `${key}=${String(value)}`);
    lines.push(`  event: ${name} ${fields.join(' ')}`);
  }
  if (prediction.alternatives.length > 0) lines.push('  depends on:');
  for (const setting of prediction.dependsOn) {
    const assumed = prediction.assumptions.find(a => a.setting === setting);
    const others = prediction.alternatives.filter(a => a.setting === setting);
    const text = others.map(a => `${settingText(a.value)}: ${a.outcome}`).join('; ');
    const taken = assumed === undefined ? '' : `, taken as ${settingText(assumed.value)}`;
    lines.push(`    ${setting} (${FIELDS[setting].text}${taken}): ${text}`);
  }
  return lines;
}
