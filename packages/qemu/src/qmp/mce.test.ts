import { describe, expect, test } from 'vitest';
import type { QmpEvent } from './client.ts';
import { parseMemoryFailure, readMceAnswer } from './mce.ts';

function memoryFailure(action: string, flags: { 'action-required'?: unknown; recursive?: unknown } = {}): QmpEvent {
  const data = { recipient: 'guest', action, flags: { 'action-required': false, recursive: false, ...flags } };
  return { event: 'MEMORY_FAILURE', data, timestamp: undefined, t: 1n };
}

describe('readMceAnswer', () => {
  const line = 'mce …';

  test('an empty text and an event is an injection', () => {
    const result = readMceAnswer(line, { value: '', events: [memoryFailure('inject')] }, 1);
    expect(result).toMatchObject({ action: 'inject', messages: [], output: '' });
  });

  test('an empty text alone proves nothing', () => {
    expect(() => readMceAnswer(line, { value: '', events: [] }, 1)).toThrow(
      expect.objectContaining({ code: 'E_HMP_NO_EVENT' }) as Error,
    );
    const other: QmpEvent = {
      event: 'RESET',
      data: { guest: true, reason: 'guest-reset' },
      timestamp: undefined,
      t: 1n,
    };
    expect(() => readMceAnswer(line, { value: '', events: [other] }, 1)).toThrow(/0 of 1 MEMORY_FAILURE/);
  });

  test('a broadcast that misses a CPU is no success', () => {
    const two = { value: '', events: [memoryFailure('inject'), memoryFailure('inject')] };
    expect(readMceAnswer(line, two, 2).events).toHaveLength(2);
    expect(() => readMceAnswer(line, two, 4)).toThrow(/2 of 4 MEMORY_FAILURE/);
  });

  test('resets are read out of a text without line ends', () => {
    const value =
      'CPU 0: MCE capability is not enabled, raising triple faultCPU 1: Previous MCE still in progress, raising triple fault';
    const result = readMceAnswer(line, { value, events: [memoryFailure('reset'), memoryFailure('reset')] }, 2);
    expect(result.messages).toEqual([
      { cpu: 0, reason: 'mce-not-enabled' },
      { cpu: 1, reason: 'mcip-set' },
    ]);
    expect(result.action).toBe('reset');
  });

  test('a refusal is an error, also when another CPU took the broadcast', () => {
    const value = 'CPU 0: Uncorrected error reporting disabled\r\n';
    expect(() => readMceAnswer(line, { value, events: [] }, 1)).toThrow(
      expect.objectContaining({
        code: 'E_HMP_MCE_DISABLED',
        text: 'CPU 0: Uncorrected error reporting disabled',
      }) as Error,
    );
    expect(() => readMceAnswer(line, { value, events: [memoryFailure('inject')] }, 2)).toThrow(/1 of 2 CPUs took it/);
  });

  test('an unknown text is an error, events or not', () => {
    expect(() => readMceAnswer(line, { value: 'what?\r\n', events: [memoryFailure('inject')] }, 1)).toThrow(
      expect.objectContaining({ code: 'E_HMP_UNEXPECTED_OUTPUT' }) as Error,
    );
  });
});

describe('parseMemoryFailure', () => {
  test('reads the flags', () => {
    expect(parseMemoryFailure(memoryFailure('ignore', { 'action-required': true, recursive: true }))).toEqual({
      recipient: 'guest',
      action: 'ignore',
      actionRequired: true,
      recursive: true,
      t: 1n,
    });
  });

  test.each([
    memoryFailure('explode'),
    memoryFailure('inject', { recursive: 'no' }),
    { ...memoryFailure('inject'), event: 'STOP' },
  ])('does not guess', event => {
    expect(parseMemoryFailure(event)).toBeUndefined();
  });
});
