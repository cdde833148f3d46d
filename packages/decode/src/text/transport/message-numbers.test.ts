import { describe, expect, it } from 'vitest';
import { MessageNumbers } from './message-numbers.ts';

describe('numbers of messages', () => {
  it('are those of their lines where each holds one', () => {
    const numbers = new MessageNumbers();
    expect([numbers.of(1), numbers.of(7), numbers.lineOf(7), numbers.isPlain]).toEqual([1, 7, 7, true]);
  });

  it('go on within a line, and lead back to it', () => {
    const numbers = new MessageNumbers();
    const lines: number[] = [];
    const given: number[] = [];
    for (let line = 1; line <= 50; line++) {
      given.push(numbers.of(line));
      lines.push(line);
      for (let more = 0; more < line % 4; more++) {
        given.push(numbers.next(line));
        lines.push(line);
      }
    }
    expect(given).toEqual(lines.map((_, i) => i + 1));
    expect(given.map(n => numbers.lineOf(n))).toEqual(lines);
  });

  it('of a message behind the first have no beginning of the line, and one that is said', () => {
    const numbers = new MessageNumbers();
    const first = numbers.of(3);
    const second = numbers.next(3);
    expect([numbers.stampOf(first), numbers.stampOf(second)]).toEqual([undefined, '']);
    numbers.stamp(second, 3, 'Nov 30 09:00:00 ');
    expect([numbers.stampOf(second), numbers.lineOf(second)]).toEqual(['Nov 30 09:00:00 ', 3]);
  });

  it('take no more memory the more lines there are', () => {
    const numbers = new MessageNumbers();
    for (let line = 1; line < 20_000; line++) {
      numbers.of(line);
      numbers.next(line);
    }
    expect(numbers.lineOf(numbers.of(20_000))).toBe(20_000);
  });
});
