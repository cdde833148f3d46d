/** @module What the customer and the operator are told. */
import type { HostId, IncidentId, Time, VmId } from './ids.ts';

const NOTICE_TYPES = [
  'vm.memory.poisoned',
  'vm.memory.located',
  'vm.memory.predicted',
  'vm.restart.planned',
  'vm.restart.withdrawn',
  'vm.restarted',
  'vm.migrated',
  'vm.terminated',
  'vm.down',
  'host.draining',
  'host.drained',
  'host.undrained',
  'host.repaired',
] as const;
type NoticeType = (typeof NOTICE_TYPES)[number];

const ALERT_TYPES = [
  'unproven',
  'no-target',
  'agent-silent',
  'source-stalled',
  'spool-full',
  'breaker-open',
  'budget-spent',
  'action-failed',
  'unapplied-pages',
  'unseen-errors',
  'second-copy',
  'clock-ahead',
] as const;
export type AlertType = (typeof ALERT_TYPES)[number];

/** What a person does about an alert: file names in docs/playbooks. */
export const ALERT_PLAYBOOK: Readonly<Record<AlertType, string>> = {
  unproven: 'unproven.md',
  'no-target': 'unproven.md',
  'second-copy': 'unproven.md',
  'action-failed': 'unproven.md',
  'agent-silent': 'not-seen.md',
  'source-stalled': 'not-seen.md',
  'spool-full': 'not-seen.md',
  'unseen-errors': 'not-seen.md',
  'clock-ahead': 'not-seen.md',
  'breaker-open': 'host-draining.md',
  'budget-spent': 'host-draining.md',
  'unapplied-pages': 'host-draining.md',
};

/** How severe an alert is; `action-failed` is that of an act on a VM. */
const ALERT_SEVERITY: Readonly<Record<AlertType, Notice['severity']>> = {
  unproven: 'critical',
  'no-target': 'critical',
  'second-copy': 'critical',
  'action-failed': 'critical',
  'agent-silent': 'warning',
  'source-stalled': 'critical',
  'spool-full': 'critical',
  'unseen-errors': 'warning',
  'clock-ahead': 'warning',
  'breaker-open': 'critical',
  'budget-spent': 'warning',
  'unapplied-pages': 'warning',
};

/**
 * How severe an alert is for the operator.
 * @param ofVm whether it is about a VM: an act on a page that failed costs nobody a VM
 * @example alertSeverity('action-failed', false) // 'warning'
 */
export const alertSeverity = (type: AlertType, ofVm: boolean): Notice['severity'] =>
  type === 'action-failed' && !ofVm ? 'warning' : ALERT_SEVERITY[type];

/** One per transition of an incident; the id is the same on every try and for every target. */
export interface Notice {
  /** `<incident>/<transition>`. */
  id: string;
  type: NoticeType | `alert.${AlertType}`;
  severity: 'info' | 'warning' | 'critical';
  at: Time;
  incident?: IncidentId;
  host?: HostId;
  vm?: VmId;
  vmName?: string;
  /** The act that it announces will not be done before, ms UTC. */
  notBefore?: Time;
  /** One sentence in the customer's words. */
  summary: string;
  /** What was lost, as far as known: guest page, process, what the kernel did. */
  lost?: { gpa?: bigint; bytes?: number; process?: string; kernel?: string };
  /** File name in docs/playbooks. */
  playbook?: string;
}
