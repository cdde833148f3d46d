/** @module The front of the room: what each consumer will do with a record. */
import type { Consumer, Delivery, OutlookContext, Running, Settings } from './context.ts';
import { DELIVERIES, FIELDS, VERSIONS, fromFirmware } from './context.ts';
import { Facts } from './facts.ts';
import { isOfSameLevel, kvmPoison, kvmSea, kvmSetMce } from './kvm.ts';
import { linuxSea, linuxSerror } from './linux-arm64.ts';
import { linuxCxl } from './linux-cxl.ts';
import { linuxException } from './linux-exception.ts';
import { linuxGhes } from './linux-ghes.ts';
import { linuxPoll } from './linux-poll.ts';
import { Run } from './prediction.ts';
import type { Alternative, Ending, Prediction } from './prediction.ts';
import { qemuGhes } from './qemu-ghes.ts';
import { qemuHmp } from './qemu-inject.ts';
import { qemuSigbus } from './qemu-sigbus.ts';
import { caseOf, valuesOf } from './case.ts';
import type { OutlookCase } from './case.ts';
import type { OutlookRecord } from './record.ts';
import { compareVersions, parseVersion } from './version.ts';
import { defineRules } from './rule.ts';
import type { Rule } from './rule.ts';
import { vmmSea } from './vmm.ts';
import { xen } from './xen.ts';

export const FRONT_RULES = defineRules('outlook', 'this project', {
  'not-applicable': ['This consumer has no way to receive this record like this.'],
  'qemu-no-sea': [
    'QEMU never enables KVM_CAP_ARM_SEA_TO_USER: it does not get this exit, and its guest gets an SError.',
    'read',
    'QEMU target/arm/kvm.c, 11.1',
  ],
  'older-version': ['The version is older than the first these rules were read in: what it does may differ.'],
  'newer-version': ['The version is newer than the last these rules were read in: what it does may differ.'],
});

/** Guest physical address a record names, for the ways of poison that need only the page. */
function addressOf(record: OutlookCase): bigint | undefined {
  if (record.kind === 'x86-mca') return valuesOf(record).addr;
  if (record.kind === 'sigbus' || record.kind === 'arm-sea') return record.gpa;
  if (record.kind === 'cxl') return undefined;
  for (const { body } of record.sections) if (body.kind === 'memory') return body.physicalAddress;
  return undefined;
}

/** The ways in which a kernel finds a record in its bank without #MC. */
function isPolled(delivery: Delivery): boolean {
  return delivery === 'poll' || delivery === 'cmci' || delivery === 'interrupt' || delivery === 'boot';
}

function linux(delivery: Delivery, facts: Facts, run: Run): Ending | undefined {
  const { record } = facts;
  if (record.kind === 'x86-mca') {
    if (delivery === 'exception') return linuxException(record, facts, run);
    return isPolled(delivery) ? linuxPoll(record, facts, run) : undefined;
  }
  if (record.kind === 'cper') {
    if (delivery === 'ghes-notify') return linuxGhes(record, false, facts, run);
    return delivery === 'ghes-sea' ? linuxGhes(record, true, facts, run) : undefined;
  }
  if (record.kind === 'cxl') return delivery === 'cxl' ? linuxCxl(record, facts, run) : undefined;
  if (record.kind === 'arm-sea') {
    if (delivery === 'serror') return linuxSerror(record, run);
    return delivery === 'sea' ? linuxSea(record, facts, run) : undefined;
  }
  return undefined;
}

function qemu(delivery: Delivery, facts: Facts, run: Run): Ending | undefined {
  const { record } = facts;
  if (delivery === 'sigbus-ao' || delivery === 'sigbus-ar') {
    return qemuSigbus(delivery === 'sigbus-ar', addressOf(record), facts, run);
  }
  if (record.kind === 'x86-mca' && delivery === 'hmp') return qemuHmp(record, facts, run);
  if (record.kind === 'cper' && delivery === 'qmp-ghes') return qemuGhes(record, facts, run);
  if (record.kind === 'arm-sea' && delivery === 'sea') {
    return run.end('not-applicable', FRONT_RULES['qemu-no-sea'], 'qemu, arm-sea, sea');
  }
  return undefined;
}

function kvm(delivery: Delivery, facts: Facts, run: Run): Ending | undefined {
  const { record } = facts;
  if (record.kind === 'x86-mca' && delivery === 'set-mce') return kvmSetMce(record, facts, run);
  if (record.kind === 'arm-sea' && delivery === 'sea') return kvmSea(record, facts, run);
  return delivery === 'sigbus-ar' ? kvmPoison(addressOf(record), facts, run) : undefined;
}

/** A version outside those that the rules were read in. */
function versionRule({ consumer, version }: OutlookContext): Rule | undefined {
  const given = version === undefined ? undefined : parseVersion(version);
  const from = parseVersion(VERSIONS[consumer].from);
  const to = parseVersion(VERSIONS[consumer].to);
  if (given === undefined || from === undefined || to === undefined) return undefined;
  if (compareVersions(given, from) < 0) return FRONT_RULES['older-version'];
  // Of the last one every patch level counts.
  const cut = { parts: given.parts.slice(0, to.parts.length) };
  return compareVersions(cut, to) > 0 ? FRONT_RULES['newer-version'] : undefined;
}

function evaluate(
  record: OutlookCase,
  context: OutlookContext,
): { facts: Facts; run: Run; ending: Required<Pick<Ending, 'rule'>> & Ending } {
  const facts = new Facts(record, context);
  const run = new Run(context.consumer);
  const delivery = facts.get('delivery');
  const age = versionRule(context);
  if (age !== undefined)
    run.note(age, `the rules are those of ${VERSIONS[context.consumer].from} to ${VERSIONS[context.consumer].to}`);
  let ending: Ending | undefined;
  if (context.consumer === 'linux') ending = linux(delivery, facts, run);
  else if (context.consumer === 'qemu') ending = qemu(delivery, facts, run);
  else if (context.consumer === 'kvm') ending = kvm(delivery, facts, run);
  else if (context.consumer === 'vmm')
    ending = record.kind === 'arm-sea' && delivery === 'sea' ? vmmSea(record, facts, run) : undefined;
  // A copy Linux made of a firmware record is Linux’s alone.
  else if (record.kind === 'x86-mca' && !fromFirmware(record) && (delivery === 'exception' || isPolled(delivery)))
    ending = xen(record, isPolled(delivery), facts, run);
  ending ??= run.end(
    'not-applicable',
    FRONT_RULES['not-applicable'],
    `${context.consumer}, ${record.kind}, ${delivery}`,
  );
  const rule = ending.rule ?? run.steps.at(-1)?.rule ?? FRONT_RULES['not-applicable'];
  return { facts, run, ending: { ...ending, rule } };
}

interface PredictOptions {
  /** False leaves `alternatives` and `dependsOn` empty: many times faster, for long streams. */
  alternatives?: boolean;
}

interface PredictAllOptions extends PredictOptions {
  /** Predictions of these alone. */
  consumers?: readonly Consumer[];
}

/**
 * What `context.consumer` will do with `record`. Total: every record and every context has an answer, and nothing
 * throws. Settings that are missing are assumed; the assumptions that matter are in `dependsOn`.
 *
 * @example
 * const record = { kind: 'x86-mca', vendor: 'amd', bank: 9, status: namedMca('amd-deferred').status, addr: 0x1234000n };
 * const known = predict(record, { consumer: 'linux', version: '6.19.6', platform: 'kvm' });
 * known.outcome // 'panicked'
 * known.rule.id // 'linux.amd-destat.crash'
 * known.dependsOn // ['ignoreMsrs']
 */
export function predict(record: OutlookRecord, context: OutlookContext, options: PredictOptions = {}): Prediction {
  return predictCase(caseOf(record), context, options);
}

function predictCase(record: OutlookCase, context: OutlookContext, options: PredictOptions): Prediction {
  const { facts, run, ending } = evaluate(record, context);
  const assumptions = facts.assumptions();
  const alternatives: Alternative[] = [];
  if (options.alternatives !== false) {
    for (const { setting } of assumptions) {
      for (const value of FIELDS[setting].others?.(facts) ?? []) {
        const other = evaluate(record, { ...context, [setting]: value });
        // Where a guess would leave the record without a way to arrive, it says nothing.
        if (other.ending.outcome === 'not-applicable') continue;
        const { outcome, handover, signal, rule } = other.ending;
        const delivery = handover?.delivery;
        // What is passed on is another thing when it arrives in another way, and so is a signal with another code.
        if (outcome === ending.outcome && delivery === ending.handover?.delivery && signal === ending.signal) continue;
        alternatives.push({
          setting,
          value,
          outcome,
          ...(delivery === undefined ? {} : { delivery }),
          ...(signal === undefined ? {} : { signal }),
          rule: rule.id,
        });
      }
    }
  }
  const dependsOn = [...new Set(alternatives.map(a => a.setting))];
  return {
    consumer: context.consumer,
    context,
    outcome: ending.outcome,
    rule: ending.rule,
    certainty: dependsOn.length === 0 ? 'certain' : 'depends',
    dependsOn,
    alternatives,
    assumptions,
    steps: run.steps,
    messages: run.messages,
    events: run.events,
    ...(ending.signal === undefined ? {} : { signal: ending.signal }),
    ...(ending.handover === undefined ? {} : { handover: ending.handover }),
  };
}

/** No chain of layers is longer: KVM, QEMU, the guest's exception, its poll. */
const MAX_LAYERS = 8;

/** Who meets a record first on its way to a guest: the virtual machine’s own layers, or the guest for what they inject. */
export function firstConsumer(record: OutlookRecord): Consumer {
  if (record.kind === 'cxl') return 'linux';
  if (record.kind !== 'arm-sea') return 'qemu';
  if (record.flags !== undefined) return 'vmm';
  return record.el === 2 && !isOfSameLevel(record) ? 'kvm' : 'linux';
}

export interface ChainOptions extends PredictOptions {
  /** What runs on the virtual machine; Linux unless said otherwise. */
  guest?: 'linux' | 'xen';
}

/** Settings per consumer, for a chain of layers. */
export type LayerSettings = Partial<Record<Consumer, Partial<Settings>>>;

/**
 * Follows a record through the layers: what the first consumer hands over is predicted for the next one, until nobody
 * gets anything any more. `layers` gives what is known of each; what a layer decides itself (delivery) wins over it.
 * The last prediction says what becomes of the system.
 *
 * @example
 * const record = { kind: 'x86-mca', vendor: 'amd', bank: 9, status: namedMca('amd-deferred').status, addr: 0x1234000n };
 * predictChain(record, { consumer: 'qemu' }).map(p => p.consumer) // ['qemu', 'linux']
 */
export function predictChain(
  record: OutlookRecord,
  context: OutlookContext,
  layers: LayerSettings = {},
  options: ChainOptions = {},
): Prediction[] {
  let last = predict(record, { ...layers[context.consumer], ...context }, options);
  const chain = [last];
  while (last.handover !== undefined && chain.length < MAX_LAYERS) {
    const { record: next, delivery, settings, consumer: named } = last.handover;
    const fromVmm = last.consumer !== 'linux' && last.consumer !== 'xen';
    const consumer = fromVmm && named === 'linux' ? (options.guest ?? 'linux') : named;
    last = predict(next, { ...settings, ...layers[consumer], delivery, consumer }, options);
    chain.push(last);
  }
  return chain;
}

/** What the CPU may have been doing; the code segment that an exception saved tells user mode from the kernel. */
function runningOf(record: OutlookCase): readonly Running[] {
  if (record.kind !== 'x86-mca' || record.cs === undefined) return ['user', 'kernel', 'idle'];
  return record.cs === 'user' ? ['user'] : ['kernel', 'idle'];
}

/** Whether something other than a kernel gets a record in this way. */
const reaches = (consumer: Consumer, delivery: Delivery): boolean =>
  (DELIVERIES[delivery] as readonly Consumer[] | undefined)?.includes(consumer) === true;

/** The contexts worth a prediction when only part of the context is known. */
function contextsFor(record: OutlookCase, known: Partial<OutlookContext>): OutlookContext[] {
  const one = (consumer: Consumer, extra: Partial<Settings> = {}): OutlookContext => ({ ...extra, ...known, consumer });
  const running = (consumer: Consumer, kinds: readonly Running[], extra: Partial<Settings> = {}): OutlookContext[] =>
    known.running === undefined ? kinds.map(r => one(consumer, { ...extra, running: r })) : [one(consumer, extra)];
  // A way of arrival that was given is for the consumer that was named, else for those that have it; others keep their own.
  const own = (consumer: Consumer): OutlookContext => {
    const { delivery, ...rest } = known;
    const mine = delivery !== undefined && (known.consumer === consumer || reaches(consumer, delivery));
    return { ...rest, ...(mine ? { delivery } : {}), consumer };
  };
  switch (record.kind) {
    case 'x86-mca': {
      const given = known.delivery;
      const kernel = given === 'exception' || (given !== undefined && isPolled(given)) ? given : undefined;
      const arrival = (consumer: 'linux' | 'xen'): Delivery =>
        kernel ?? new Facts(record, { ...own(consumer), consumer }).peek('delivery');
      const delivery = arrival('linux');
      const linuxContexts =
        delivery === 'exception' ? running('linux', runningOf(record), { delivery }) : [one('linux', { delivery })];
      return [
        ...linuxContexts.map(c => ({ ...c, delivery })),
        ...(known.vendor === 'arm' ? [] : [{ ...own('xen'), delivery: arrival('xen') }]),
        own('qemu'),
        own('kvm'),
      ];
    }
    case 'cper':
      return [one('linux', { delivery: 'ghes-notify' }), own('qemu')];
    case 'arm-sea':
      // With the flags of kvm_run it is the exit itself, which KVM has handed to the VMM already.
      if (record.flags !== undefined)
        return [
          { delivery: 'sea', ...own('vmm') },
          one('linux', { platform: 'kvm' }),
          { delivery: 'sea', ...own('qemu') },
        ];
      // What a kernel at EL1 gets is no longer KVM’s; an abort of the same level is dropped as not applicable.
      return record.el === 1 ? [one('linux')] : [one('linux'), own('kvm')];
    case 'sigbus':
      return [own('qemu')];
    case 'cxl':
      return [one('linux', { delivery: 'cxl' })];
  }
}

/**
 * Predictions for every consumer the record could reach. `known` narrows: with `consumer` only that one's are given,
 * which then may say that this consumer cannot get the record.
 * A `version` only means something together with `consumer`, and is otherwise taken for Linux's.
 */
export function predictAll(
  record: OutlookRecord | OutlookCase,
  known: Partial<OutlookContext> = {},
  options: PredictAllOptions = {},
): Prediction[] {
  const seen = caseOf(record);
  return contextsFor(seen, known)
    .filter(context => known.consumer === undefined || context.consumer === known.consumer)
    .filter(context => options.consumers?.includes(context.consumer) !== false)
    .map(context => {
      if (known.consumer !== undefined || context.consumer === 'linux' || known.version === undefined) return context;
      const { version: _, ...rest } = context;
      return rest;
    })
    .map(context => predictCase(seen, context, options))
    .filter(prediction => known.consumer !== undefined || prediction.outcome !== 'not-applicable');
}
