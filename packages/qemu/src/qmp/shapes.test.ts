import { describe, expect, test } from 'vitest';
import { commands } from './commands.ts';
import { departure } from './shapes.ts';

describe('departure', () => {
  const cpu = {
    'cpu-index': 0,
    'qom-path': '/machine/x',
    'qom-type': 'max-arm-cpu',
    'thread-id': 1,
    target: 'aarch64',
  };
  const shape = commands['query-cpus-fast'].return;

  test('accepts what has more members than claimed', () => {
    expect(departure(shape, [{ ...cpu, props: { 'core-id': 0 } }])).toBeUndefined();
  });

  test.each([
    [null, 'the value is not an array'],
    [[cpu, 1], 'the value[1] is not an object'],
    [[{ ...cpu, 'cpu-index': '0' }], "'cpu-index' of the value[0] is not an int"],
    [[{ ...cpu, 'cpu-index': 2n ** 64n }], "'cpu-index' of the value[0] is not an int"],
    [[{ ...cpu, target: undefined }], "'target' of the value[0] is not a string"],
    [[{}], "the value[0] lacks 'cpu-index'"],
  ])('names the place: %o', (value, problem) => {
    expect(departure(shape, value)).toBe(problem);
  });

  test('an absent optional member is fine, a wrong one is not', () => {
    expect(departure(commands['query-name'].return, {})).toBeUndefined();
    expect(departure(commands['query-name'].return, { name: 1 })).toBe("'name' of the value is not a string");
  });

  test('an inherited member is not a member', () => {
    expect(departure({ members: { toString: 'value' as const } }, {})).toBe("the value lacks 'toString'");
  });
});
