/** @module One step under way: the state, the time, and what it wants so far. Nothing is wanted without a decision. */
import { decisionHash } from './hash.ts';
import type { HostId, IncidentId, Time, VmId } from './ids.ts';
import type { Decision, Effect } from './input.ts';
import { ALERT_PLAYBOOK, alertSeverity, type AlertType, type Notice } from './notice.ts';
import type { Announced, Incident, State } from './state.ts';

export interface Turn {
  s: State;
  now: Time;
  out: Effect[];
  /** What changed, and has to be judged again. */
  vms: Set<VmId>;
  hosts: Set<HostId>;
  /** Time has passed, or facts have changed: what waits is looked at. */
  awake: boolean;
  /** What was announced and is given up: told at the end, unless the same is planned again. */
  withdrawn: (Announced & { vm: VmId; why: string })[];
}

/** What a decision says beside time and policy. */
export type Why = Omit<Decision, 'at' | 'policy'>;

export function decide(t: Turn, why: Why): void {
  const decision: Decision = { at: t.now, policy: t.s.policyId, ...why };
  t.s.decisions = { count: t.s.decisions.count + 1, hash: decisionHash(t.s.decisions.hash, decision) };
  t.out.push({ effect: 'decision', decision });
}

/** Tells a transition of an incident, once for ever. */
export function tellOnce(
  t: Turn,
  incident: Incident,
  transition: string,
  notice: Omit<Notice, 'id' | 'at' | 'incident'>,
): void {
  if (incident.told.includes(transition)) return;
  incident.told.push(transition);
  t.out.push({
    effect: 'notice',
    notice: { id: `${incident.id}/${transition}`, at: t.now, incident: incident.id, ...notice },
  });
}

interface Alarm {
  incident?: IncidentId | undefined;
  host?: HostId | undefined;
  vm?: VmId | undefined;
  vmName?: string | undefined;
  summary: string;
}

/** Raises an alert for the operator, once until {@link calm}. */
export function alarm(t: Turn, type: AlertType, about: string, alert: Alarm): void {
  const key = `${type} ${about}`;
  const known = t.s.alerts.get(key) ?? { raised: 0, standing: false };
  if (known.standing) return;
  const raised = known.raised + 1;
  t.s.alerts.set(key, { raised, standing: true });
  const { summary, ...subject } = alert;
  const named = Object.fromEntries(Object.entries(subject).filter(([, v]) => v !== undefined));
  decide(t, {
    ...pick(subject),
    rule: `core/${type}`,
    rung: 'tell',
    inputs: { alert: type, about, raised },
    why: summary,
  });
  t.out.push({
    effect: 'notice',
    notice: {
      id: `${alert.incident ?? about}/alert.${type}/${about}/${raised}`,
      type: `alert.${type}`,
      severity: alertSeverity(type, t.s.vms.has(about)),
      at: t.now,
      ...named,
      summary,
      playbook: ALERT_PLAYBOOK[type],
    },
  });
}

function pick(subject: Omit<Alarm, 'summary'>): Partial<Pick<Decision, 'incident' | 'host' | 'vm'>> {
  return {
    ...(subject.incident === undefined ? {} : { incident: subject.incident }),
    ...(subject.host === undefined ? {} : { host: subject.host }),
    ...(subject.vm === undefined ? {} : { vm: subject.vm }),
  };
}

/** Whether an alert stands. */
export function isStanding(t: Turn, type: AlertType, about: string): boolean {
  return t.s.alerts.get(`${type} ${about}`)?.standing === true;
}

/** The reason for an alert is gone: the next one is raised again. */
export function calm(t: Turn, type: AlertType, about: string): void {
  if (t.s.alerts.size === 0) return;
  const known = t.s.alerts.get(`${type} ${about}`);
  if (known !== undefined) known.standing = false;
}
