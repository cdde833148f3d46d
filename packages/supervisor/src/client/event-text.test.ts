import { expect, test } from 'vitest';
import { EventText } from './event-text.ts';

const TEXT =
  'retry: 1000\n\nid: 7\nevent: decision\ndata: {"a":\ndata: 1}\n\nevent: beat\ndata: \n\ndata: x\n\nid: 8\nevent: dec';

test('events are whole, however the text is cut', () => {
  const whole = new EventText().push(TEXT);
  expect(whole).toEqual([
    { id: '7', event: 'decision', data: '{"a":\n1}' },
    { id: undefined, event: 'beat', data: '' },
    { id: undefined, event: 'message', data: 'x' },
  ]);
  for (let size = 1; size < 9; size++) {
    const reader = new EventText();
    const pieces = TEXT.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
    expect(pieces.flatMap(piece => reader.push(piece))).toEqual(whole);
  }
});
