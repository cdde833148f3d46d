/** @module Which files of a support bundle can hold errors, by their names: sosreport, supportconfig, crash and abrt folders, any folder. */

/**
 * `log`: lines for the readers of text, or a record in bytes; `dmidecode`: only the parts of the machine; `database`: rasdaemon's, with
 * `-wal` and `-journal` beside it; `edac`: one counter or label of the driver in sysfs; `host`: who the machine is; `unread`: what holds
 * errors in a form that is not read.
 */
export type BundleKind = 'log' | 'dmidecode' | 'database' | 'edac' | 'host' | 'unread';

/** Words of which the name of a file with errors has one, between marks or ends. */
const LOG_WORDS = [
  'dmesg',
  'kern',
  'kernel',
  'kmsg',
  'messages?',
  'syslog',
  'journal(?:ctl)?',
  'warn',
  'mcelog',
  'mce',
  'ras',
  'rasdaemon',
  'edac',
  'console\\w{0,8}',
  'serial\\w{0,8}',
  'tty[A-Z]{1,4}\\d{1,3}',
  's?el',
  'elist',
  'ipmi\\w{0,8}',
  'bmc',
  'iml',
  'lclog',
  'hwlog',
  'crash',
  'panic',
  'oops',
  'backtrace',
  'boot',
  'xen',
  'xl',
  'hypervisor',
  'vmkernel',
  'vobd',
  'pstore',
  'erst',
  'bert',
  'cper',
  'ghes',
  'whea',
  'mca',
  'cxl\\w{0,8}',
  'trace(?:_pipe)?',
  'redfish',
  'diagnosticdata',
];
const LOG = new RegExp(`(?:^|[^a-z])(?:${LOG_WORDS.join('|')})(?=[^a-z]|$)`, 'i');
/** Of a folder that no program made for support, any text may be the log. */
const PLAIN = /\.(?:log|txt|out|msg|cper|bin|hex|json|ndjson|xml|csv)(?:[-.]\d{1,10})?$|^[^.]{1,64}$/i;
/** Files in folders whose names no log has: settings, programs, their documentation. */
const NO_LOG =
  /(?:^|\/)(?:etc|boot\/(?:grub|efi)|usr|lib|lib64|run\/systemd|proc\/\d{1,10})\/|\.(?:conf|rules|service|ko|rpm|deb|so|[choaS]|cc|cpp|hpp|py[co]?|pl|rb|go|rs|ts|java|class|jar|sh|patch|diff|md|rst|ya?ml|toml|html|css|js|png|svg|pdf|cfg|ini|repo|pem|crt|key)$/i;
const MADE_FOR_SUPPORT = /(?:^|\/)(?:sosreport-|sos_commands\/|sos_logs\/|sos_reports\/|scc_|nts_|supportconfig)/i;
const EDAC = /(?:^|\/)sys\/devices\/system\/edac\/mc\/(mc\d{1,3}\/.{1,128})$/;
/** `system.journal` and what is rotated of it. */
const JOURNAL = /\.journal~?$/;
const PACKED = /\.(?:gz|xz|zst|bz2)$/i;

/** The name without the ending of a compression. */
export const unpackedName = (path: string): string => path.replace(PACKED, '');

/** The place below `edac/mc` of a file of sysfs: `mc0/dimm0/dimm_ce_count`. */
export function edacPlace(path: string): string | undefined {
  return EDAC.exec(path)?.[1];
}

/** Whether a path is in what a program gathered for support: of its many files only those are logs that are named so. */
export const isMadeForSupport = (path: string): boolean => MADE_FOR_SUPPORT.test(path);

/** What a file of a bundle is; undefined for what is not looked at. @param path with `/`, below the bundle */
export function bundleKind(path: string, made = isMadeForSupport(path)): BundleKind | undefined {
  const name = unpackedName(path);
  const base = name.slice(name.lastIndexOf('/') + 1);
  if (JOURNAL.test(base)) return 'unread';
  if (/^ras-mc_event\.db(?:-wal|-journal)?$/.test(base)) return 'database';
  if (edacPlace(name) !== undefined) return 'edac';
  if (/^(?:hostname|uname(?:_-a)?)$/.test(base) || /(?:^|\/)etc\/hosts?name$/i.test(name)) return 'host';
  if (NO_LOG.test(name)) return undefined;
  if (/dmidecode/i.test(base)) return 'dmidecode';
  if (LOG.test(base) || /^hardware\.txt$|^basic-environment\.txt$|^memory\.txt$/.test(base)) return 'log';
  return !made && PLAIN.test(base) ? 'log' : undefined;
}

/** The log that a file is a part of: what is rotated of it has the same, since no line stands in two of them. */
export function logOf(path: string): string {
  return unpackedName(path).replace(/(?:[-.](?:\d{1,3}|\d{8}(?:-\d{1,10})?|old|tailed|\d{4}-\d{2}-\d{2}))+$/, '');
}
