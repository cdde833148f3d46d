/** @module The files of a sosreport, a supportconfig and a crash folder, small: forms as these programs write them, values of our own. */

const GHES = (stamp: (n: number) => string): string =>
  [
    'Hardware error from APEI Generic Hardware Error Source: 4',
    'It has been corrected by h/w and requires no further action',
    'event severity: corrected',
    ' Error 0, type: corrected',
    '  section_type: memory error',
    '  physical_address: 0x0000006a47d1f540',
    '  node:0 card:1 module:0 rank:0 bank:3 device:0 row:1234 column:56',
    '  error_type: 2, single-bit ECC',
    '  DIMM location: not present. DMI handle: 0x0011',
  ]
    .map((line, i) => `${stamp(i)}{1}[Hardware Error]: ${line}\n`)
    .join('');
const CE =
  'EDAC MC0: 1 CE memory read error on DIMM_A1 (channel:0 slot:0 page:0x10 offset:0x40 grain:32 syndrome:0x0)\n';

const boot = (seconds: number): string => `[${seconds.toFixed(6).padStart(12)}] `;
export const HOST = 'db1-prod';
export const USER = 'mmustermann';
export const SERIAL = '12AB34CD';

export const DMIDECODE = `# dmidecode 3.3
Getting SMBIOS data from sysfs.

Handle 0x0001, DMI type 1, 27 bytes
System Information
	Manufacturer: Example
	Serial Number: CZ12345678
	UUID: 31323334-3536-434d-5831-323334353637

Handle 0x0010, DMI type 16, 23 bytes
Physical Memory Array
	Location: System Board Or Motherboard

Handle 0x0011, DMI type 17, 84 bytes
Memory Device
	Array Handle: 0x0010
	Size: 16 GB
	Locator: DIMM_A1
	Bank Locator: NODE 0
	Manufacturer: Samsung
	Serial Number: ${SERIAL}
	Part Number: M393A2K43CB2-CTD  

Handle 0x0012, DMI type 17, 84 bytes
Memory Device
	Array Handle: 0x0010
	Size: No Module Installed
	Locator: DIMM_A2
	Serial Number: Not Specified
`;

const DMESG = `${boot(0)}Linux version 6.1.0 (builder@build.example.org)\n${GHES(i => boot(100 + i / 1e6))}${boot(200.5)}${CE}${boot(300.5)}${CE}`;
/** The same lines, and one of the boot before. */
const MESSAGES = `Feb  3 03:55:00 ${HOST} kernel: ${CE}${GHES(() => `Feb  3 04:01:40 ${HOST} kernel: `)}Feb  3 04:03:20 ${HOST} kernel: ${CE}Feb  3 04:05:00 ${HOST} kernel: ${CE}`;
const JOURNAL = MESSAGES.split('\n')
  .slice(1)
  .map(line => line.replace(/^Feb {2}3 ([\d:]{8})/, '2026-02-03T$1.123456+01:00'))
  .join('\n');

/** By path. */
export const SOSREPORT: Readonly<Record<string, string>> = {
  'sos_commands/kernel/dmesg': DMESG,
  'sos_commands/logs/journalctl_--no-pager_--boot': JOURNAL,
  'sos_commands/hardware/dmidecode': DMIDECODE,
  'sos_commands/ipmitool/ipmitool_sel_list':
    '   1 | 02/03/2026 | 03:01:40 | Memory #0x01 | Correctable ECC (@DIMM_A1) | Asserted\n',
  'var/log/messages': MESSAGES,
  'var/log/boot.log': '',
  'etc/hostname': `${HOST}\n`,
  'etc/rsyslog.conf': `kern.* /var/log/kern.log # ${CE}`,
  'proc/cpuinfo': 'processor : 0\n',
  'sys/devices/system/edac/mc/mc0/dimm0/dimm_label': 'DIMM_A1\n',
  'sys/devices/system/edac/mc/mc0/dimm0/dimm_ce_count': '7\n',
  'sys/devices/system/edac/mc/mc0/dimm0/dimm_ue_count': '0\n',
  'sys/devices/system/edac/mc/mc0/dimm1/dimm_label': 'DIMM_B1\n',
  'sys/devices/system/edac/mc/mc0/dimm1/dimm_ce_count': '5\n',
  'sys/devices/system/edac/mc/mc0/dimm1/dimm_ue_count': '1\n',
};

/** Plain text in sections, as supportconfig writes it. */
export const SUPPORTCONFIG: Readonly<Record<string, string>> = {
  'basic-environment.txt': `#==[ Command ]======================================#\n# /bin/uname -a\nLinux ${HOST} 5.14.21-150500-default #1 SMP x86_64 GNU/Linux\n`,
  'boot.txt': `#==[ Command ]======================================#\n# /bin/dmesg\n${DMESG}\n`,
  'messages.txt': `#==[ Log File ]=====================================#\n# /var/log/messages - Last 5000 Lines\n${MESSAGES}\n`,
  'hardware.txt': `#==[ Command ]======================================#\n# /usr/sbin/dmidecode\n${DMIDECODE}\n`,
  'network.txt': `inet 192.0.2.17/24 ether 52:54:00:12:34:56\n`,
};

/** What kdump leaves in a folder of its own. */
export const CRASH: Readonly<Record<string, string>> = {
  'vmcore-dmesg.txt': `${boot(10)}mce: [Hardware Error]: CPU 3: Machine Check Exception: 5 Bank 9: bd80000000100134\n${boot(10.000001)}mce: [Hardware Error]: RIP !INEXACT! 33:<00007f0000001234>\n${boot(10.000002)}mce: [Hardware Error]: TSC 1234 ADDR 91ee000 MISC 8c \n${boot(10.000003)}mce: [Hardware Error]: PROCESSOR 0:50657 TIME 1770000000 SOCKET 0 APIC 6 microcode 5003302\n${boot(10.1)}Kernel panic - not syncing: Fatal machine check\n`,
  'kexec-dmesg.log': `${boot(1)}Linux version 6.1.0\n`,
  vmcore: 'KDUMP   \0\0\0\0',
};
