import { describe, expect, it } from 'vitest';
import { catalogEvent } from '../../events/catalog.ts';
import { qmpEvent } from './qmp-events.ts';

// The JSON is what QEMU 11.1 and 7.2 sent.
describe('qmpEvent', () => {
  it('takes MEMORY_FAILURE apart', () => {
    const data = JSON.parse(
      '{"flags": {"recursive": false, "action-required": true}, "recipient": "guest", "action": "inject"}',
    ) as unknown;
    expect(qmpEvent({ event: 'MEMORY_FAILURE', data })).toEqual({
      name: 'vmm.memory-failure',
      fields: { recipient: 'guest', action: 'inject', actionRequired: true, recursive: false },
    });
  });

  it('names the events of the machine', () => {
    const guestReset = { guest: true, reason: 'guest-reset' };
    expect(qmpEvent({ event: 'RESET', data: guestReset })).toEqual({ name: 'vmm.reset', fields: guestReset });
    expect(qmpEvent({ event: 'SHUTDOWN', data: guestReset })).toEqual({ name: 'vmm.shutdown', fields: guestReset });
    expect(qmpEvent({ event: 'GUEST_PANICKED', data: { action: 'pause' } }).name).toBe('vmm.guest-panicked');
    expect(qmpEvent({ event: 'WATCHDOG', data: { action: 'none' } }).fields).toEqual({ action: 'none' });
    expect(qmpEvent({ event: 'STOP' })).toEqual({ name: 'vmm.stop', fields: {} });
    expect(qmpEvent({ event: 'RESUME' })).toEqual({ name: 'vmm.resume', fields: {} });
    expect(qmpEvent({ event: 'NIC_RX_FILTER_CHANGED', data: {} }).fields).toEqual({ type: 'NIC_RX_FILTER_CHANGED' });
    for (const event of ['RESET', 'STOP', 'WATCHDOG', 'x'])
      expect(catalogEvent(qmpEvent({ event }).name)).toBeDefined();
  });

  it('leaves out what is missing or of another type, whatever a peer sends', () => {
    for (const data of [
      null,
      7,
      'text',
      [],
      { flags: null, action: 3, recipient: {} },
      { flags: { recursive: 'no' } },
    ]) {
      expect(qmpEvent({ event: 'MEMORY_FAILURE', data })).toEqual({ name: 'vmm.memory-failure', fields: {} });
    }
    expect(qmpEvent({ event: 'constructor' }).name).toBe('vmm.event');
    expect(qmpEvent({ event: 'RESET', data: { reason: 'x'.repeat(1000) } }).fields).toEqual({
      reason: 'x'.repeat(128),
    });
  });
});
