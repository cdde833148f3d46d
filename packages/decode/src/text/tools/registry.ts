/**
 * @module The programs that write of errors into a log, beside kernels and VMMs, one line each. The first that takes a line
 * without a program's name has it: mcelog's words are read before those that stand in the middle of any line.
 */
import type { ItemSink } from '../item.ts';
import type { Reader } from '../reader.ts';
import { MCELOG_NEEDLES, McelogReader } from './mcelog-reader.ts';
import { VIRSH_NEEDLES, VirshReader } from '../libvirt/virsh-reader.ts';
import { RASDAEMON_NEEDLES, RasdaemonReader } from './rasdaemon-reader.ts';

interface Tool {
  /** As syslog and journald name it. */
  readonly program: string;
  /** Words of which every line that can matter holds one, except in what such a line opened (`wanted` of its reader). */
  readonly needles: readonly string[];
  /** @param input name of the input, for the origin of records */
  open(sink: ItemSink, input: string): Reader;
}

export const TOOLS: readonly Tool[] = [
  { program: 'mcelog', needles: MCELOG_NEEDLES, open: (sink, input) => new McelogReader(sink, input) },
  { program: 'rasdaemon', needles: RASDAEMON_NEEDLES, open: (sink, input) => new RasdaemonReader(sink, input) },
  { program: 'virsh', needles: VIRSH_NEEDLES, open: sink => new VirshReader(sink) },
];
