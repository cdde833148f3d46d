import { describe, expect, test } from 'vitest';
import { Emitted } from './emitted.ts';

const T = 1795914984_562398;
const S = 1e6;

describe('monitor_protocol_event_emit', () => {
  test('the number is learned from an event that came both ways; one that came one way is lost', () => {
    const emitted = new Emitted('MEMORY_FAILURE');
    emitted.line(T, 11);
    expect(emitted.lost(T + 3 * S)).toEqual([]);
    emitted.line(T + 5 * S, 11);
    emitted.received(T + 5 * S + 50, 'MEMORY_FAILURE');
    emitted.line(T + 6 * S, 4);
    // The first is told as soon as it can be named; nothing before two seconds have passed, and nothing twice.
    expect(emitted.lost(T + 5 * S)).toEqual([T]);
    expect(emitted.lost(T + 20 * S)).toEqual([]);
    emitted.line(T + 30 * S, 11);
    expect(emitted.lost(T + 31 * S)).toEqual([]);
    expect(emitted.lost(T + 32 * S)).toEqual([T + 30 * S]);
    expect(emitted.lost(T + 40 * S)).toEqual([]);
  });

  test('of an event without a time the number is learned when all lines near it were read, and it stands for one line', () => {
    const emitted = new Emitted('MEMORY_FAILURE');
    // Another kind is read first: alone it would be taken for it.
    emitted.line(S * 100 - 400_000, 3);
    emitted.arrived(S * 100 + 5000, 'MEMORY_FAILURE');
    expect(emitted.lost(S * 100 + 10_000)).toEqual([]);
    emitted.line(S * 100, 11);
    expect(emitted.lost(S * 103)).toEqual([]);
    emitted.line(S * 200, 11);
    emitted.arrived(S * 200 + 300_000, 'MEMORY_FAILURE');
    emitted.line(S * 200 + 100, 11);
    expect(emitted.lost(S * 201)).toEqual([]);
    expect(emitted.lost(S * 203)).toEqual([S * 200 + 100]);
    emitted.line(S * 300, 3);
    emitted.line(S * 301, 11);
    expect(emitted.lost(S * 304)).toEqual([S * 301]);
  });

  test('two kinds at one moment teach nothing', () => {
    const emitted = new Emitted('MEMORY_FAILURE');
    emitted.line(T, 11);
    emitted.line(T, 4);
    emitted.received(T, 'MEMORY_FAILURE');
    expect(emitted.lost(T + 10 * S)).toEqual([]);
    emitted.line(T + 11 * S, 11);
    emitted.received(T + 11 * S, 'MEMORY_FAILURE');
    expect(emitted.lost(T + 20 * S)).toEqual([]);
  });
});
