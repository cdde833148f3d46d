import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mayReach, parseNetwork } from './public-address.ts';

describe('an address', () => {
  it.each([
    ['8.8.8.8', true],
    ['2600::1', true],
    ['127.0.0.1', false],
    ['127.255.255.254', false],
    ['::1', false],
    ['::', false],
    ['::ffff:10.0.0.1', false],
    ['0:0:0:0:0:ffff:7f00:1', false],
    ['64:ff9b::7f00:1', false],
    ['::127.0.0.1', false],
    ['169.254.169.254', false],
    ['fe80::1%eth0', false],
    ['fd00:ec2::254', false],
    ['224.0.0.1', false],
    ['255.255.255.255', false],
    ['example.org', false],
    ['', false],
  ])('%s: %s', (address, open) => {
    expect(mayReach(address, [])).toBe(open);
  });

  it('of a private network is reached only through the allow list, in whatever form it is written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xff_ffff }), low => {
        const [b, c, d] = [low >>> 16, (low >>> 8) & 255, low & 255];
        const hex = `${(0x0a00 | b).toString(16)}:${((c << 8) | d).toString(16)}`;
        for (const address of [`10.${b}.${c}.${d}`, `::ffff:10.${b}.${c}.${d}`, `::FFFF:${hex}`]) {
          expect(mayReach(address, [])).toBe(false);
          expect(mayReach(address, ['192.168.0.0/16'])).toBe(false);
          expect(mayReach(address, ['10.0.0.0/8'])).toBe(true);
        }
      }),
    );
  });
});

describe('a network', () => {
  it.each([
    ['10.0.0.0/8', ['10.0.0.0', 8]],
    ['127.0.0.1', ['127.0.0.1', 32]],
    ['::1', ['::1', 128]],
    ['10.0.0.0/33', undefined],
    ['10.0.0.0/', undefined],
    ['10.0.0.0/8/8', undefined],
    ['host', undefined],
  ])('%s', (text, network) => {
    expect(parseNetwork(text)).toEqual(network);
  });
});
