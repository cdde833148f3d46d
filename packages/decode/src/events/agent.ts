/** @module What the agent in a layer reports: itself, processes and their memory, registers and counters that the lab asked for. */
import { row, type FieldValue } from './row.ts';
import { short } from './show.ts';

type Asked = Readonly<Partial<Record<'path' | 'value' | 'cpu' | 'msr' | 'error', FieldValue>>>;

const refusal = ({ error }: Asked): string => (error === undefined ? '' : `: ${short(error)}`);
const written = (f: Asked): string => `${short(f.value)} > ${short(f.path)}${refusal(f)}`;
const msrWritten = (f: Asked): string => `MSR ${short(f.msr)} of CPU ${short(f.cpu)} = ${short(f.value)}${refusal(f)}`;

export const AGENT = {
  'process.mapped': row(
    'proc:string id:string virt:address phys:address pages:number',
    'A process in the guest mapped memory and knows its physical address.',
    { line: f => `${short(f.proc)} maps ${short(f.id)}: virt ${short(f.virt)} phys ${short(f.phys)}` },
  ),
  'process.signal': row(
    'proc:string pid:number signal:string code:string addr?:address lsb?:number',
    'A process in the guest got a signal.',
    {
      severity: 'uncorrected-recoverable',
      line: f =>
        `${short(f.proc)} gets ${short(f.signal)} ${short(f.code)} addr ${short(f.addr)}` +
        (f.lsb === undefined ? '' : ` lsb ${short(f.lsb)}`),
      record: {
        reporter: 'kernel',
        name: 'process-sigbus',
        fields: 'comm=proc pid lsb code virt=addr',
        only: f => f.code === 'BUS_MCEERR_AO' || f.code === 'BUS_MCEERR_AR',
        headline: 'A process got SIGBUS for bad memory',
        explanation: 'BUS_MCEERR_AR: it touched the page; BUS_MCEERR_AO: it was told beforehand.',
        next: 'What it had in the page is lost; look for the `Memory failure:` lines of its kernel.',
      },
    },
  ),
  'process.exit': row(
    'proc:string pid:number status:string code?:number signal?:string',
    'A process in the guest ended.',
    { line: f => `${short(f.proc)} ends: ${short(f.status)} ${short(f.signal ?? f.code)}` },
  ),
  'process.touched': row(
    'proc:string id:string at?:number value?:any signal?:string',
    'A process in the guest touched its memory again.',
  ),
  'process.called': row(
    'proc:string id:string call:string result:number error?:string',
    'A process in the guest let the kernel read or write its memory in a system call.',
    { line: f => `${short(f.call)}(2) by ${short(f.proc)} gives ${short(f.error ?? f.result)}` },
  ),
  'process.vm-exit': row(
    'proc:string id:string reason:string error?:string value?:number gpa?:address size?:number',
    'The VM of a process in the guest ran until it had read a byte of its memory, or could not: how KVM_RUN came back.',
    {
      line: f =>
        `the VM of ${short(f.proc)}: ${short(f.reason)}` +
        (f.error === undefined ? ` value ${short(f.value)}` : ` ${short(f.error)} gpa ${short(f.gpa)}`),
    },
  ),
  'process.verified': row(
    'proc:string id:string intact:any bytes?:any',
    'A process in the guest compared its memory with what it wrote.',
  ),
  'process.spin-ended': row(
    'proc:string id?:string ended?:any iterations?:any',
    'A process in the guest stopped reading in a loop.',
  ),
  'guest.interrupts': row('name:string count:number delta?:number description?:string', 'A line of /proc/interrupts.', {
    line: f =>
      `${short(f.description ?? f.name).replace(/ +/g, ' ')}: ${short(f.count)}${f.delta === undefined ? '' : ` (+${short(f.delta)})`}`,
  }),
  'guest.agent-ready': row('kernel:string arch?:string cpus?:number', 'The agent in the guest answers.', {
    line: f => `agent ready on Linux ${short(f.kernel)}`,
  }),
  'domu.agent-ready': row(
    'kernel:string arch?:string cpus?:number',
    'The agent in a domain of Xen besides dom0 answers.',
    {
      line: f => `agent ready on Linux ${short(f.kernel)} in a domU`,
    },
  ),
  'guest.msr': row('cpu:number msr:register value:register', 'A model-specific register that the lab read.'),
  'guest.saved-record': row(
    'name:string bytes:number',
    'A file of what the kernel of the boot before has saved (pstore).',
    { line: f => `saved over the reset: ${short(f.name)}, ${short(f.bytes)} bytes` },
  ),
  'guest.program': row(
    'command:string code:number text:string',
    'A program that the lab ran in the guest, and what it wrote.',
    {
      line: f => `${short(f.command)} ends with ${short(f.code)}: ${short(f.text)}`,
    },
  ),
  'guest.dumped': row(
    'bytes:number error?:string',
    'A crash kernel in the guest has read the memory of the dead one, all of it or up to an error.',
    {
      line: f =>
        `the dump of ${short(f.bytes)} bytes ${f.error === undefined ? 'is whole' : `ends with ${short(f.error)}`}`,
    },
  ),
  'guest.alive': row('kernel?:string', 'The guest answered when asked.', { line: () => 'the guest answers' }),
  'guest.silent': row('reason?:string', 'The guest did not answer when asked.', {
    severity: 'fatal',
    line: f => `the guest does not answer: ${short(f.reason)}`,
  }),
  'host.agent-ready': row('kernel:string arch?:string cpus?:number', 'The agent in the host layer answers.', {
    line: f => `agent ready on host Linux ${short(f.kernel)}`,
  }),
  'host.msr': row('cpu:number msr:register value:register', 'A model-specific register that the lab read.'),
  'guest.read': row('path:string text:string', 'The lab read a file in the guest.'),
  'host.read': row('path:string text:string', 'The lab read a file in the host layer.'),
  'guest.written': row('path:string value:string error?:string', 'The lab wrote a file in the guest.', {
    line: written,
  }),
  'host.written': row('path:string value:string error?:string', 'The lab wrote a file in the host layer.', {
    line: written,
  }),
  'guest.msr-written': row(
    'cpu:number msr:register value:register error?:string',
    'The lab wrote a model-specific register of the guest.',
    { line: msrWritten },
  ),
  'host.msr-written': row(
    'cpu:number msr:register value:register error?:string',
    'The lab wrote a model-specific register of the host layer.',
    { line: msrWritten },
  ),
  'guest.line': row('text:string', 'A line on the console of the guest, as it stands there.'),
  'host.line': row('text:string', 'A line on the console of the host layer, as it stands there.'),
  'domu.line': row('text:string', 'A line on the console of a domain of Xen besides dom0, as it stands there.'),
  'xen.line': row('text:string', 'A line of Xen on the console, as it stands there.'),
  'vmm.line': row('text:string', 'A line that the VMM printed, as it stands there.'),
};
