import { describe, expect, test } from 'vitest';
import { parseOptions, USAGE } from './options.ts';

describe('parseOptions', () => {
  test('what is not said has a default', () => {
    expect(parseOptions(['--kernel', 'Image'])).toEqual({
      kernel: 'Image',
      initrd: undefined,
      append: '',
      memoryBytes: 512 << 20,
      vcpus: 1,
      name: 'vm',
      console: 'fd:1',
      agent: undefined,
      events: 'fd:2',
      control: undefined,
      sea: 'auto',
      quarantine: 'now',
      hugePages: true,
      maxErrors: 4,
      onThreshold: 'report',
    });
  });

  test('sizes are in MiB or GiB', () => {
    const memory = (size: string): number => parseOptions(['--kernel', 'k', '--memory', size]).memoryBytes;
    expect(memory('64M')).toBe(64 << 20);
    expect(memory('3G')).toBe(3 * 2 ** 30);
  });

  test.each([
    [[], /--kernel is missing/],
    [['--kernel', 'k', '--memory', '63M'], /--memory/],
    [['--kernel', 'k', '--memory', '512'], /--memory/],
    [['--kernel', 'k', '--sea', 'maybe'], /--sea is auto or on or off, not maybe/],
    [['--kernel', 'k', '--quarantine', 'later'], /now or on-request or off/],
    [['--kernel', 'k', '--vcpus', '9'], /--vcpus is a number from 1 to 8/],
    [['--kernel', 'k', '--vcpus', '1e0'], /--vcpus/],
    [['--kernel', 'k', '--max-errors', '0'], /--max-errors/],
    [['--kernel', 'k', '--bios', 'x'], /--bios/],
    [['--kernel', 'k', 'stray'], /stray/],
  ])('%j is refused, and told how it goes', (argv, message) => {
    expect(() => parseOptions(argv)).toThrow(
      expect.objectContaining({ code: 'E_VMM_USAGE', message: expect.stringMatching(message), hint: USAGE }),
    );
  });

  test('every option is in the usage text', () => {
    for (const name of ['kernel', 'initrd', 'events', 'control', 'sea', 'quarantine', 'huge-pages', 'on-threshold'])
      expect(USAGE).toContain(`--${name} `);
  });
});
