import { expect, test } from 'vitest';
import { plain } from '@syndrome/trace/style.ts';
import { styleFor, styledLine, styledLines } from './style.ts';

const style = styleFor(process.stdout, true);

test('the colours of the program come out, those of a text do not', () => {
  expect(styledLine(style('red', 'bad'))).toBe('\u001b[31mbad\u001b[39m');
  expect(styledLine(`${style(['bold', 'red'], 'a\u001b[32mb')} \u001b[0mc\n`)).toBe(
    '\u001b[1m\u001b[31ma\\x1b[32mb\u001b[39m\u001b[22m \\x1b[0mc\\x0a',
  );
  expect(styledLines(`${style('dim', 'a')}\n\u001b[31mb\r\n`)).toBe('\u001b[2ma\u001b[22m\n\\x1b[31mb\\x0d\n');
  expect(styledLine(plain('red', '\u001b[31m'))).toBe('\\x1b[31m');
});

test('a text that holds the mark of a style without its form gets nothing through', () => {
  const mark = /style-\w+:/.exec(style('red', ''))?.[0] ?? '';
  expect(mark.length).toBeGreaterThan(20);
  for (const text of [`\u001b]${mark}0;title\u0007`, `\u001b[${mark}2J`, `\u009b${mark}31m`, `\u001b[${mark}31;m\r`]) {
    expect(styledLine(text)).not.toMatch(/[\u0007\r\u009b\u001b](?!\[[\d;]+m)/);
  }
});

test('without colour nothing is styled', () => {
  expect(styleFor(process.stdout, false)('red', 'bad')).toBe('bad');
});
