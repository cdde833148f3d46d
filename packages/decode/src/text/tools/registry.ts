/**
 * @module The programs and other systems that write of errors into a log, beside Linux, Xen and VMMs, one line each. The first that
 * takes a line without a program's name has it: mcelog's words are read before those that stand in the middle of any line.
 */
import { BMC_NEEDLES, BMC_PROGRAMS, BmcReader } from '../bmc/bmc-reader.ts';
import { PEL_NEEDLES, PelReader } from '../bmc/pel-reader.ts';
import { ESXI_NEEDLES, ESXI_PROGRAMS, VmkernelReader } from '../esxi/vmkernel-reader.ts';
import { ARM_FIRMWARE_NEEDLES, ArmFirmwareReader } from '../firmware/arm-reader.ts';
import { COREBOOT_NEEDLES, CorebootReader } from '../firmware/coreboot-reader.ts';
import { FIRMWARE_NEEDLES, FirmwareExceptionReader } from '../firmware/exception-reader.ts';
import { FREEBSD_NEEDLES, FreebsdReader } from '../freebsd/mca-reader.ts';
import { EreportReader, ILLUMOS_NEEDLES } from '../illumos/ereport-reader.ts';
import type { ItemSink } from '../item.ts';
import { MACOS_NEEDLES, MacosPanicReader } from '../macos/panic-reader.ts';
import { ONTAP_NEEDLES, OntapReader } from '../ontap/panic-reader.ts';
import type { Reader } from '../reader.ts';
import { EDAC_COUNTS_NEEDLES, EdacCountsReader } from './edac-counts-reader.ts';
import { MCELOG_NEEDLES, MCELOG_PROGRAMS, McelogReader } from './mcelog-reader.ts';
import { VIRSH_NEEDLES, VirshReader } from '../libvirt/virsh-reader.ts';
import { BUGCHECK_NEEDLES, BugcheckReader } from '../windows/bugcheck-reader.ts';
import { WHEA_MCA_NEEDLES, WheaMcaReader } from '../windows/whea-mca-reader.ts';
import { WHEA_MEMORY_NEEDLES, WheaMemoryReader } from '../windows/whea-memory-reader.ts';
import { WHEA_NEEDLES, WheaReader } from '../windows/whea-reader.ts';
import { RAS_MC_CTL_NEEDLES, RasMcCtlReader } from './ras-mc-ctl-reader.ts';
import { RASDAEMON_NEEDLES, RasdaemonReader } from './rasdaemon-reader.ts';

interface Tool {
  /** As syslog and journald name it. */
  readonly program: string;
  /** Further names of it. */
  readonly also?: readonly string[];
  /** Words of which every line that can matter holds one, except in what such a line opened (`wanted` of its reader). */
  readonly needles: readonly string[];
  /** @param input name of the input, for the origin of records */
  open(sink: ItemSink, input: string): Reader;
}

export const TOOLS: readonly Tool[] = [
  {
    program: 'mcelog',
    also: MCELOG_PROGRAMS,
    needles: MCELOG_NEEDLES,
    open: (sink, input) => new McelogReader(sink, input),
  },
  { program: 'rasdaemon', needles: RASDAEMON_NEEDLES, open: (sink, input) => new RasdaemonReader(sink, input) },
  { program: 'ras-mc-ctl', needles: RAS_MC_CTL_NEEDLES, open: (sink, input) => new RasMcCtlReader(sink, input) },
  { program: 'edac-util', needles: EDAC_COUNTS_NEEDLES, open: sink => new EdacCountsReader(sink) },
  { program: 'virsh', needles: VIRSH_NEEDLES, open: sink => new VirshReader(sink) },
  {
    program: 'vmkernel',
    also: ESXI_PROGRAMS,
    needles: ESXI_NEEDLES,
    open: (sink, input) => new VmkernelReader(sink, input),
  },
  { program: 'kernel', needles: FREEBSD_NEEDLES, open: (sink, input) => new FreebsdReader(sink, input) },
  { program: 'macos', needles: MACOS_NEEDLES, open: (sink, input) => new MacosPanicReader(sink, input) },
  { program: 'fmdump', needles: ILLUMOS_NEEDLES, open: (sink, input) => new EreportReader(sink, input) },
  { program: 'ontap', needles: ONTAP_NEEDLES, open: (sink, input) => new OntapReader(sink, input) },
  { program: 'windbg', needles: BUGCHECK_NEEDLES, open: (sink, input) => new BugcheckReader(sink, input) },
  { program: 'whea-memory', needles: WHEA_MEMORY_NEEDLES, open: (sink, input) => new WheaMemoryReader(sink, input) },
  { program: 'whea-mca', needles: WHEA_MCA_NEEDLES, open: (sink, input) => new WheaMcaReader(sink, input) },
  { program: 'whea', needles: WHEA_NEEDLES, open: (sink, input) => new WheaReader(sink, input) },
  { program: 'peltool', needles: PEL_NEEDLES, open: sink => new PelReader(sink) },
  { program: 'firmware', needles: FIRMWARE_NEEDLES, open: sink => new FirmwareExceptionReader(sink) },
  { program: 'coreboot', needles: COREBOOT_NEEDLES, open: (sink, input) => new CorebootReader(sink, input) },
  { program: 'tf-a', needles: ARM_FIRMWARE_NEEDLES, open: sink => new ArmFirmwareReader(sink) },
  { program: 'bmc', also: BMC_PROGRAMS, needles: BMC_NEEDLES, open: (sink, input) => new BmcReader(sink, input) },
];

/** The place in TOOLS of a program by any of its names, or -1. */
export function toolOf(program: string): number {
  // In ESXi's vobd.log the time since boot stands where syslog has the program.
  if (/^\d{1,16}us$/.test(program)) return toolOf('vobd');
  return TOOLS.findIndex(t => t.program === program || t.also?.includes(program) === true);
}
