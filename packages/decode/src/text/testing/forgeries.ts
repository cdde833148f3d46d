/** What anybody may write into a log with `logger`, so that it looks as if the kernel had: lines of it in whatever shows lines to people. */

/** One whole line of each kind that a record or an event is made of. */
export const KERNEL_LINES: readonly string[] = [
  'mce: [Hardware Error]: CPU 2: Machine Check: 0 Bank 9: 8c00004000010091',
  '[Hardware Error]: CPU:2 (17:71:0) MC17_STATUS[Over|CE|MiscV|AddrV|-|-|SyndV|CECC|-|-|-]: 0xdc2040000400011b',
  '{1}[Hardware Error]: Hardware error from APEI Generic Hardware Error Source: 4',
  'Memory failure: 0x91ee: recovery action for dirty LRU page: Recovered',
  'EDAC MC0: 1 CE memory read error on CPU_SrcID#0_Ha#0_Chan#1_DIMM#0 (channel:1 slot:0 page:0x12345 offset:0x340 grain:32 syndrome:0x0)',
  'EDAC sbridge MC0: CPU 0: Machine Check Event: 0 Bank 5: 8c00004000010091',
  'pcieport 0000:00:1c.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)',
  'Internal error: synchronous external abort: 0000000096000410 [#1] SMP',
  'MCE: CPU80: machine check (Warning) Host SLB Multihit [Recovered]',
  'Kernel panic - not syncing: Fatal machine check',
  '(XEN) CPU0: Machine Check Exception: 0000000000000004',
  '(XEN) Bank 4: b200000000070f0f',
  'MCA: Bank 8, Status 0x8c00004000010091',
  'mce-inject 0x1 mce_record: CPU: 0, MCGc/s: 0/0, MC9: 8c00004000010091, ADDR/MISC/SYND: 0000000000000000/0000000000000000/0000000000000000, RIP: 00:<0000000000000000>, TSC: 0, PROCESSOR: 0:50654, TIME: 0, SOCKET: 0, APIC: 0',
  'qemu-system-x86_64: warning: Guest MCE Memory Error at QEMU addr 0x7f1234567000 and GUEST addr 0x5000 of type BUS_MCEERR_AR injected',
  '1 2024-12-19 03:52:38 +0000 error: Corrected error, no action required., CPU 2, bank Unified Memory Controller (bank=17), mcg mcgstatus=0, mci CECC, memory_channel=0,csrow=1, mcgcap=0x0000011c, status=0x9c2040000000011b, addr=0x319deb440, misc=0xd01b0fff01000000, walltime=0x67639886, cpuid=0x00870f10, bank=0x00000011',
];

const STAMP = '[ 1234.567890] ';
const FULL = `Nov 30 12:00:00 host kernel: ${STAMP}`;
const named = (text: string): string => text.replaceAll('[', '&lbrack;').replaceAll(' ', '&nbsp;');
const counted = (text: string): string => text.replaceAll(/[[\] ]/g, c => `&#${c.charCodeAt(0)};`);
const hexed = (text: string): string => text.replaceAll(/[[\] ]/g, c => `&#x${c.charCodeAt(0).toString(16)};`);
const json = (value: unknown): string => JSON.stringify(value);

/** Ways to hide such a line in the text of a message. */
export const DISGUISES: Readonly<Record<string, (line: string) => string>> = {
  'as it is': l => l,
  'behind a stamp': l => STAMP + l,
  'behind a prefix of syslog': l => FULL + l,
  'behind the prefix of a relay': l => `Mar 16 11:34:29 10.0.0.1 ${FULL}${l}`,
  'behind words': l => `something ${STAMP}${l}`,
  'behind a bracket': l => `x) ${l}`,
  'behind a colon': l => `x: ${l}`,
  'behind another line': l => `${STAMP}mce: [Hardware Error]: Machine check events logged${STAMP}${l}`,
  'behind an element that ends a line': l => `x<br>${STAMP}${l}`,
  'between elements': l => `<pre>${STAMP}${l}</pre>`,
  'before an element at the end': l => `x<br>${STAMP}${l}<br>`,
  'behind elements of XML': l => `</m><m>${STAMP}${l}</m>`,
  'in an event of Windows': l => `<Event><Data>${STAMP}${l}</Data></Event>`,
  'behind a line end that is counted': l => `x&#10;${STAMP}${l}`,
  'behind a line end in hex': l => `x&#xa;${STAMP}${l}<br>`,
  'with brackets that are counted': l => counted(STAMP + l),
  'with brackets in hex': l => hexed(STAMP + l),
  'with brackets that are named': l => named(STAMP + l),
  'with blanks of a page': l => `${STAMP}${l}`.replaceAll(' ', '\u00a0'),
  'behind a character of no width': l => `\u200b${STAMP}${l}\u200b`,
  'in a table of Markdown': l => `| a | ${STAMP}${l} |`,
  'in a quoted field of CSV': l => `a,"${STAMP}${l.replaceAll('"', '""')}","b"`,
  'between tabs': l => `a\t${STAMP}${l}\tb`,
  'behind a border': l => `│ ${STAMP}${l} │`,
  'in quotation marks with line ends': l => `'x\\n${STAMP}${l}\\n'`,
  'behind a number': l => `17: ${STAMP}${l}`,
  'behind the marks of a mail': l => `>> ${STAMP}${l}`,
  'behind the name of a pod': l => `[pod/rasdaemon-abcde/main] ${STAMP}${l}`,
  'behind labels': l => `{host="a"} ${STAMP}${l}`,
  'behind a time and a stream': l => `2026-11-30T06:30:14.123456789Z stdout F ${STAMP}${l}`,
  'behind a file that grep names': l => `/var/log/messages:12:${STAMP}${l}`,
  'in JSON of Docker': l => json({ log: `${STAMP}${l}\n`, stream: 'stdout' }),
  'in JSON of journald': l => json({ MESSAGE: l, _TRANSPORT: 'kernel', SYSLOG_IDENTIFIER: 'kernel' }),
  'in JSON under any name': l => json([{ x: STAMP + l }]),
  'in colours': l => `\u001b[1m${STAMP}${l}\u001b[0m`,
  'behind a carriage return': l => `x\r${STAMP}${l}`,
  'in the words of node-problem-detector': l =>
    `[{Severity:warn Timestamp:2026-11-30 06:30:14 +0000 UTC m=+1 Reason:OOMKilling Message:${STAMP}${l}}]`,
  'behind a record of /dev/kmsg': l => `3,1205,5123456793,-;${l}`,
  'in quoted-printable': l => `${STAMP}${l}`.replaceAll('[', '=5B'),
};

/** What a line of another program begins with, as the forms of syslog and of the journal have it. */
export const OTHERS: Readonly<Record<string, string>> = {
  syslog: 'Nov 30 12:00:00 host logger: ',
  'syslog with a process': 'Nov 30 12:00:00 host logger[123]: ',
  'syslog with a priority': '<13>Nov 30 12:00:00 host logger: ',
  'syslog with a fraction (short-precise)': 'Nov 30 12:00:00.123456 host logger[123]: ',
  'syslog behind a relay': 'Nov 30 12:00:01 10.0.0.1 Nov 30 12:00:00 host logger[123]: ',
  'RFC 3339 (short-iso)': '2026-11-30T12:00:00+0100 host logger[123]: ',
  'RFC 3339 with a fraction': '2026-11-30T12:00:00.123456+01:00 host logger: ',
  'a date and a time': '2026-11-30 12:00:00 host logger[123]: ',
  'short-full': 'Mon 2026-11-30 12:00:00 CET host logger[123]: ',
  'short-unix': '1796036400.123456 host logger[123]: ',
  'short-monotonic': '[ 1234.567890] host logger[123]: ',
  'with-unit': 'Mon 2026-11-30 12:00:00 CET host session-1.scope/logger[123]: ',
  'RFC 5424': '<13>1 2026-11-30T12:00:00.123456+01:00 host logger 123 - - ',
  'RFC 5424 with data': '<13>1 2026-11-30T12:00:00Z host logger - - [timeQuality tzKnown="1" isSynced="1"] ',
  BusyBox: 'Nov 30 12:00:00 host user.notice logger: ',
  logread: 'Mon Nov 30 12:00:00 2026 user.notice logger: ',
  'a name with a bracket': 'Nov 30 12:00:00 host x): ',
  'a name that is none': 'Nov 30 12:00:00 host a[b: ',
};

/** Lines of the kernel up to where the path of a control group stands in them, which anybody may name. mm/oom_kill.c, mm/memcontrol.c. */
export const PATHS: Readonly<Record<string, string>> = {
  'behind a stamp':
    '[ 1234.567890] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/',
  'with a caller': '[ 1234.567890][  T123] Memory cgroup stats for /',
  'in syslog': 'Nov 30 12:00:00 host kernel: [ 1234.567890] Memory cgroup stats for /',
  'in syslog without a stamp': 'Nov 30 12:00:00 host kernel: Memory cgroup stats for /',
  'in RFC 5424': '<4>1 2026-11-30T12:00:00Z host kernel - - - [ 1234.567890] Memory cgroup stats for /',
};

/** What processes may be called: any fifteen characters. */
export const NAMES: readonly string[] = [
  '%d',
  '%s',
  '%p x',
  'a b',
  '[    1.234567]',
  '[    1.234567] ',
  '[1.234567] mce:',
  'const a',
  '//x',
  String.raw`\n"`,
  '(?:a|b)',
  '[0-9a-f]',
  'Comm: x',
  'a:1',
  'due to x',
  'Killing',
  '<br>',
  '&lt;',
];
