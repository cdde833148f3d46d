/**
 * Debian package versions in the order of dpkg (deb-version(7)): `[epoch:]upstream[-revision]`, `~` before everything
 * even the end, letters before other characters, runs of digits by value.
 */
export function compareDebianVersions(a: string, b: string): number {
  const x = split(a);
  const y = split(b);
  return x.epoch - y.epoch || compareParts(x.upstream, y.upstream) || compareParts(x.revision, y.revision);
}

function split(version: string): { epoch: number; upstream: string; revision: string } {
  // What stands before a colon and is no number is no epoch.
  const written = /^(\d{1,9}):/.exec(version)?.[1];
  const epoch = Number(written ?? 0);
  const rest = written === undefined ? version : version.slice(written.length + 1);
  const dash = rest.lastIndexOf('-');
  return dash < 0
    ? { epoch, upstream: rest, revision: '0' }
    : { epoch, upstream: rest.slice(0, dash), revision: rest.slice(dash + 1) };
}

function order(char: string | undefined): number {
  if (char === undefined || (char >= '0' && char <= '9')) return 0;
  if (char === '~') return -1;
  if (/[A-Za-z]/.test(char)) return char.charCodeAt(0);
  return char.charCodeAt(0) + 256;
}

const isDigit = (char: string | undefined): boolean => char !== undefined && char >= '0' && char <= '9';

function compareParts(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a[i])) || (j < b.length && !isDigit(b[j]))) {
      const difference = order(a[i]) - order(b[j]);
      if (difference !== 0) return difference;
      i++;
      j++;
    }
    const x = /^\d*/.exec(a.slice(i))?.[0] ?? '';
    const y = /^\d*/.exec(b.slice(j))?.[0] ?? '';
    i += x.length;
    j += y.length;
    const p = x.replace(/^0+/, '');
    const q = y.replace(/^0+/, '');
    if (p.length !== q.length) return p.length - q.length;
    if (p !== q) return p < q ? -1 : 1;
  }
  return 0;
}

/** The upstream part of a package version, without epoch and revision: `1:11.1.3+ds-1~bpo13+1` → `11.1.3+ds`. */
export function upstreamVersion(version: string): string {
  return split(version).upstream;
}
