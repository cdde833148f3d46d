/**
 * @module Which addresses a webhook may reach. A URL is configuration, but the name in it is resolved by somebody else: what
 * is not public is refused unless the target's allow list has it, when it connects and for every address of the name.
 */
import { BlockList, isIP } from 'node:net';

/** What is not public unicast, by the registries of special-purpose addresses (RFC 6890 and its updates). */
const NOT_PUBLIC: readonly (readonly [network: string, bits: number, why: string])[] = [
  ['0.0.0.0', 8, 'this network, RFC 791'],
  ['10.0.0.0', 8, 'private, RFC 1918'],
  ['100.64.0.0', 10, 'shared, RFC 6598'],
  ['127.0.0.0', 8, 'loopback, RFC 1122'],
  ['169.254.0.0', 16, 'link-local (metadata services too), RFC 3927'],
  ['172.16.0.0', 12, 'private, RFC 1918'],
  ['192.0.0.0', 24, 'protocol assignments, RFC 6890'],
  ['192.0.2.0', 24, 'documentation, RFC 5737'],
  ['192.88.99.0', 24, '6to4 relay, RFC 7526'],
  ['192.168.0.0', 16, 'private, RFC 1918'],
  ['198.18.0.0', 15, 'benchmarks, RFC 2544'],
  ['198.51.100.0', 24, 'documentation, RFC 5737'],
  ['203.0.113.0', 24, 'documentation, RFC 5737'],
  ['224.0.0.0', 4, 'multicast, RFC 5771'],
  ['240.0.0.0', 4, 'reserved, RFC 1112'],
  ['::', 96, 'unspecified, loopback and IPv4-compatible, RFC 4291'],
  ['64:ff9b::', 96, 'translated IPv4, RFC 6052'],
  ['64:ff9b:1::', 48, 'translated IPv4, RFC 8215'],
  ['100::', 64, 'discard, RFC 6666'],
  ['2001::', 23, 'protocol assignments (Teredo), RFC 2928'],
  ['2001:db8::', 32, 'documentation, RFC 3849'],
  ['2002::', 16, '6to4, RFC 3056'],
  ['3fff::', 20, 'documentation, RFC 9637'],
  ['5f00::', 16, 'segment routing, RFC 9602'],
  ['fc00::', 7, 'unique local, RFC 4193'],
  ['fe80::', 10, 'link-local, RFC 4291'],
  ['fec0::', 10, 'site-local, RFC 3879'],
  ['ff00::', 8, 'multicast, RFC 4291'],
];

const family = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

function listOf(networks: Iterable<readonly [string, number]>): BlockList {
  const list = new BlockList();
  for (const [network, bits] of networks) list.addSubnet(network, bits, family(network));
  return list;
}

const notPublic = listOf(NOT_PUBLIC.map(([network, bits]) => [network, bits] as const));

/** An IPv4 address inside an IPv6 one (::ffff:a.b.c.d) is that IPv4 address. */
function plain(address: string): string {
  if (isIP(address) !== 6) return address;
  const { hostname } = new URL(`http://[${address.replace(/%.*$/, '')}]`);
  const [, high, low] = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(hostname) ?? [];
  if (high === undefined || low === undefined) return hostname.slice(1, -1);
  const value = Number.parseInt(high, 16) * 0x10000 + Number.parseInt(low, 16);
  return [24, 16, 8, 0].map(shift => (value >>> shift) & 0xff).join('.');
}

/** A network in CIDR form, or one address; undefined when it is neither. */
export function parseNetwork(text: string): readonly [network: string, bits: number] | undefined {
  const [address = '', bits, ...more] = text.split('/');
  const width = isIP(address) === 6 ? 128 : 32;
  if (isIP(address) === 0 || more.length > 0) return undefined;
  if (bits === undefined) return [address, width];
  return /^\d{1,3}$/.test(bits) && Number(bits) <= width ? [address, Number(bits)] : undefined;
}

/** Whether one of the networks has an address. */
export function isAmong(address: string, allow: readonly string[]): boolean {
  const at = plain(address);
  if (isIP(at) === 0) return false;
  return listOf(allow.map(parseNetwork).filter(network => network !== undefined)).check(at, family(at));
}

/**
 * Whether an address may be connected to.
 * @param allow networks that are allowed although they are not public
 * @example mayReach('127.0.0.1', []) // false
 * @example mayReach('127.0.0.1', ['127.0.0.1/32']) // true
 */
export function mayReach(address: string, allow: readonly string[]): boolean {
  const at = plain(address);
  if (isIP(at) === 0) return false;
  return !notPublic.check(at, family(at)) || isAmong(at, allow);
}
