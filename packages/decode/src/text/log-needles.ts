/** @module The words by which the lines of a log that can matter are found: those of all readers. */
import { LINUX_NEEDLES } from './linux/needles.ts';
import { TRACE_NEEDLES } from './linux/trace-events.ts';
import { NeedleSet } from './needles.ts';
import { QEMU_NEEDLES } from './qemu/qemu-reader.ts';
import { AGENT_NEEDLES } from './syndrome/agent-events.ts';
import { RECORD_NEEDLES } from './syndrome/json-records.ts';
import { VMM_NEEDLES } from './syndrome/vmm-events.ts';
import { TOOLS } from './tools/registry.ts';
import { CARRIED_NEEDLES } from './transport/carried.ts';
import { JOURNAL_NEEDLES, TIME_NEEDLES, WRITER_NEEDLES } from './transport/json-lines.ts';
import { MAIL_NEEDLES } from './transport/quoted-printable.ts';
import { OWN_NEEDLES } from './transport/own-object.ts';
import { VALUES_NEEDLES } from './values/values.ts';
import { XEN_NEEDLES } from './xen/xen-reader.ts';

/** Words that every line which can matter holds, except in blocks that a line with one of them opened. */
export const LOG_NEEDLES: readonly string[] = [
  ...LINUX_NEEDLES,
  ...TRACE_NEEDLES,
  ...XEN_NEEDLES,
  ...QEMU_NEEDLES,
  ...AGENT_NEEDLES,
  ...VMM_NEEDLES,
  ...RECORD_NEEDLES,
  ...VALUES_NEEDLES,
  ...TOOLS.flatMap(tool => tool.needles),
  ...JOURNAL_NEEDLES,
  ...CARRIED_NEEDLES,
];

/** The same where the blanks of a line are those that a page does not break lines at, in UTF-8. */
const COPIED_NEEDLES: readonly string[] = LOG_NEEDLES.filter(word => /\S \S/.test(word)).map(word =>
  word.trim().replaceAll(' ', '\u00c2\u00a0'),
);

/** The same where quotation marks stand within JSON or a page. */
const ESCAPED_NEEDLES: readonly string[] = LOG_NEEDLES.filter(word => word.includes('"')).flatMap(word => [
  word.replaceAll('"', String.raw`\"`),
  word.replaceAll('"', '&quot;'),
]);

/** Words of lines that say when, and nothing of an error. */
const BESIDE_NEEDLES: readonly string[] = [...TIME_NEEDLES, ...WRITER_NEEDLES, ...OWN_NEEDLES, ...MAIL_NEEDLES];

/** Of values among the lines of a log: nothing is read of them, which is told. */
const VALUE_NEEDLE = 'status=0x';

/** All of them, as a log is searched for them. */
export const NEEDLES = new NeedleSet([
  ...LOG_NEEDLES,
  ...COPIED_NEEDLES,
  ...ESCAPED_NEEDLES,
  ...BESIDE_NEEDLES,
  VALUE_NEEDLE,
]);

const LONGEST = Math.max(...LOG_NEEDLES.map(n => n.length));

/** Whether a text holds such a word that does not end before `at`. */
export function mentions(text: string, at: number): boolean {
  const rest = text.slice(Math.max(0, at - LONGEST + 1));
  return LOG_NEEDLES.some(n => rest.includes(n));
}
