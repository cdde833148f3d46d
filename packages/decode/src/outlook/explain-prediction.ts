/** @module A prediction in words. */
import { hex64 } from '../common/hex.ts';
import { FIELDS } from './context.ts';
import type { Settings } from './context.ts';
import type { Alternative, OutlookOutcome, Prediction } from './prediction.ts';

/** A consumer, at the beginning of a sentence. */
export const WHO: Record<Prediction['consumer'], string> = {
  linux: 'Linux',
  xen: 'Xen',
  qemu: 'QEMU',
  kvm: 'KVM',
  vmm: 'The VMM',
};

/** What becomes of it, as the rest of the sentence. */
export const WHAT: Record<OutlookOutcome, string> = {
  'vmm-died': 'the VMM process ends',
  reset: 'the machine is reset',
  panicked: 'panics',
  hung: 'hangs',
  'domain-crashed': 'ends a domain; dom0 and the others go on',
  killed: 'kills the process',
  signalled: 'signals the process with SIGBUS; it lives',
  logged: 'logs the error and goes on',
  none: 'nothing happens',
  'not-applicable': 'not applicable, it cannot get this record',
  forwarded: 'passes the error on to the next layer',
};

/** Longest line of an explanation; only what a kernel prints may be longer. */
const WIDTH = 100;

/** Breaks `text` between words so that no line is longer than `width`, unless one word is. */
function wrapTo(width: number, text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > width) {
      lines.push(indent + line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, indent + line];
}

/** A setting's value as text. */
export function settingText(value: Settings[keyof Settings]): string {
  if (typeof value === 'bigint') return hex64(value);
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value);
}

/** `Linux 6.19.6 (exception, user): panics` in one line. */
export function headline(prediction: Prediction): string {
  const { consumer, context, outcome } = prediction;
  const version = context.version === undefined ? '' : ` ${context.version}`;
  const how = [context.delivery, context.running].filter(x => x !== undefined).join(', ');
  return `${WHO[consumer]}${version}${how === '' ? '' : ` (${how})`}: ${WHAT[outcome]}`;
}

/** `panicked`, or how the next layer, or the process, would get it. */
function outcomeText({ outcome, delivery, signal }: Alternative): string {
  const how = delivery ?? signal;
  return how === undefined ? outcome : `${outcome} (${how})`;
}

interface ExplainOptions {
  /** Also names the source of each rule. */
  sources?: boolean;
  /** Longest line, 100 unless given. */
  width?: number;
}

/**
 * The whole prediction in lines of at most 100 columns, or `width`: outcome, the rules in their order with what each did, what is
 * printed, and what the outcome depends on. A rule that was only read, and not seen to act, says so.
 */
export function explainPrediction(prediction: Prediction, options: ExplainOptions = {}): string[] {
  const wrap = (text: string, indent: string): string[] => wrapTo(options.width ?? WIDTH, text, indent);
  const lines = wrap(headline(prediction), '');
  for (const { rule, effect } of prediction.steps) {
    const doubt = rule.evidence === 'read' && !rule.id.startsWith('outlook.') ? ', not seen on a machine yet' : '';
    lines.push(...wrap(rule.text, '  '), ...wrap(`-> ${effect} [${rule.id}${doubt}]`, '    '));
    if (options.sources === true) lines.push(...wrap(rule.source, '       '));
  }
  if (prediction.messages.length > 0) lines.push('  prints:', ...prediction.messages.map(m => `    ${m.trimEnd()}`));
  for (const { name, data } of prediction.events) {
    const fields = Object.entries(data).map(([key, value]) => `${key}=${String(value)}`);
    lines.push(...wrap(`event: ${name} ${fields.join(' ')}`, '  '));
  }
  if (prediction.alternatives.length > 0) lines.push('  depends on:');
  for (const setting of prediction.dependsOn) {
    const assumed = prediction.assumptions.find(a => a.setting === setting);
    const others = prediction.alternatives.filter(a => a.setting === setting);
    const text = others.map(a => `${settingText(a.value)}: ${outcomeText(a)}`).join('; ');
    const taken = assumed === undefined ? '' : `, taken as ${settingText(assumed.value)}`;
    lines.push(...wrap(`${setting} (${FIELDS[setting].text}${taken}): ${text}`, '    '));
  }
  return lines;
}
