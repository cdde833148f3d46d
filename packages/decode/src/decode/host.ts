/** @module The machine whose name stands in the beginning of a line. */

/** Words that are no name of a machine although they stand where one does. */
const NO_HOSTS: ReadonlySet<string> = new Set(
  'localhost localhost4 localhost6 localdomain linux kernel host hostname none unknown node server debian ubuntu last message systemd rasdaemon mcelog'.split(
    ' ',
  ),
);
/** Whether a word is the name of no machine: what stands there before one has a name, or where somebody took it out. */
export const isNoHost = (name: string): boolean =>
  NO_HOSTS.has(name.toLowerCase()) || /^(?:\d{1,20}|.|\[.{0,40})$/.test(name);

/**
 * A date and time of syslog or journald, the host in a group of its own, and who writes: `Nov 28 20:58:07 db1 kernel:`; the priority of
 * the wire may stand before it. The source of an expression that begins with a line.
 */
export const HOST_OF_LINE =
  '^(?:<\\d{1,3}>)?(?:\\d{1,2} )?(?:[A-Z][a-z]{2} [ \\d]\\d(?: \\d{4})? \\d{2}:\\d{2}:\\d{2}(?:\\.\\d{1,9})?|(?:[A-Z][a-z]{2} )?\\d{4}-\\d{2}-\\d{2}[T ]\\d{2}:\\d{2}:\\d{2}(?:[.,]\\d{1,9})?(?:Z|[+-]\\d{2}:?\\d{2}| [A-Z]{3,5})?) ([A-Za-z0-9][\\w.-]{0,252}) [\\w./@()-]{1,64}(?:\\[\\d{1,10}\\])?:';
const HOST = new RegExp(HOST_OF_LINE);

/** The host that the beginning of a line names, without its domain: `db1`; undefined where it names none. */
export function hostOfStamp(stamp: string): string | undefined {
  const name = HOST.exec(stamp)?.[1];
  if (name === undefined || isNoHost(name)) return undefined;
  const dot = name.indexOf('.');
  return dot < 0 || /^[\d.]+$/.test(name) ? name : name.slice(0, dot);
}
