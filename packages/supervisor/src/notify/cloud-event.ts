/** @module A notice as a CloudEvent (CNCF CloudEvents 1.0.2, §3 context attributes; JSON format 1.0.2 §3). */
import { hex64 } from '@syndrome/decode/common/hex.ts';
import type { Notice } from '../core/notice.ts';

/** Prefix of `type`, and the version of `data`: another form of data is another type. */
const TYPE = (type: Notice['type']): string => `syndrome.${type}.v1`;

interface CloudEvent {
  specversion: '1.0';
  id: string;
  source: string;
  type: string;
  subject?: string;
  time: string;
  datacontenttype: 'application/json';
  data: Record<string, unknown>;
}

/** The media type of a structured CloudEvent (HTTP binding 1.0.2 §3.2). */
export const CLOUD_EVENT_TYPE = 'application/cloudevents+json';

/**
 * The CloudEvent of a notice. `source` and `id` together name it for ever: it has the same on every try and for every
 * target, so that a receiver that keeps ids counts it once. Times are RFC 3339 UTC, addresses `0x` and 16 digits.
 *
 * @param site what the operator calls this site: the source is `/syndrome/<site>`
 * @example
 * cloudEvent('lab', { id: 'inc-1/tell', type: 'vm.memory.poisoned', severity: 'warning', at: 0, summary: 'A page was lost.' })
 * // { specversion: '1.0', id: 'inc-1/tell', source: '/syndrome/lab', type: 'syndrome.vm.memory.poisoned.v1', … }
 */
export function cloudEvent(site: string, notice: Notice): CloudEvent {
  const { id, type, at, severity, summary, incident, host, vm, vmName, notBefore, lost, playbook } = notice;
  const subject = vm === undefined ? host : vm;
  const data = {
    severity,
    summary,
    incident,
    host,
    vm,
    vmName,
    notBefore: notBefore === undefined ? undefined : new Date(notBefore).toISOString(),
    lost: lost === undefined ? undefined : { ...lost, gpa: lost.gpa === undefined ? undefined : hex64(lost.gpa) },
    playbook,
  };
  return {
    specversion: '1.0',
    id,
    source: `/syndrome/${encodeURIComponent(site)}`,
    type: TYPE(type),
    ...(subject === undefined ? {} : { subject }),
    time: new Date(at).toISOString(),
    datacontenttype: 'application/json',
    data: Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined)),
  };
}
