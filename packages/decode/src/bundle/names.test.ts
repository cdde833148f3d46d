import { describe, expect, it } from 'vitest';
import { bundleKind, edacPlace, logOf } from './names.ts';

const SOS = 'sosreport-a-2026-02-03-x/';

describe('files of a bundle by their names', () => {
  it.each([
    ['sos_commands/kernel/dmesg', 'log'],
    ['sos_commands/logs/journalctl_--no-pager_--catalog_--boot_-1', 'log'],
    ['sos_commands/ipmitool/ipmitool_sel_elist', 'log'],
    ['sos_commands/ras/ras-mc-ctl_--errors', 'log'],
    ['sos_commands/hardware/dmidecode', 'dmidecode'],
    ['var/log/messages-20260101.xz', 'log'],
    ['var/log/kern.log.1', 'log'],
    ['var/log/mcelog', 'log'],
    ['var/lib/rasdaemon/ras-mc_event.db', 'database'],
    ['var/lib/rasdaemon/ras-mc_event.db-wal', 'database'],
    ['var/crash/127.0.0.1-2026/vmcore-dmesg.txt', 'log'],
    ['var/log/journal/0123/system@1-2.journal~', 'unread'],
    ['sys/devices/system/edac/mc/mc0/dimm3/dimm_ce_count', 'edac'],
    ['etc/hostname', 'host'],
    ['proc/cpuinfo', undefined],
    ['etc/rsyslog.conf', undefined],
    ['etc/systemd/journald.conf', undefined],
    ['sos_commands/networking/ip_addr', undefined],
    ['sos_commands/selinux/sestatus', undefined],
    ['usr/lib/modules/6.1/kernel/drivers/edac/skx_edac.ko', undefined],
  ])('%s of a sosreport: %s', (path, kind) => {
    expect(bundleKind(SOS + path)).toBe(kind);
  });

  it.each([
    ['node7.txt', 'log'],
    ['what-they-sent.log', 'log'],
    ['trace', 'log'],
    ['redfish.json', 'log'],
    ['edac_mc.c', undefined],
    ['0001-mce.patch', undefined],
    ['photo.jpeg', undefined],
  ])('%s of any folder: %s', (path, kind) => {
    expect(bundleKind(path)).toBe(kind);
  });

  it('parts of one log', () => {
    for (const name of [
      'messages',
      'messages-20260101',
      'messages.1',
      'messages-20260101.gz',
      'messages.2.xz',
      'messages.old',
    ])
      expect(logOf(`var/log/${name}`)).toBe('var/log/messages');
    expect(logOf('kern.log.3.gz')).toBe('kern.log');
    expect(logOf('journalctl_--boot')).not.toBe(logOf('dmesg'));
  });

  it('places in sysfs', () => {
    expect(edacPlace('x/sys/devices/system/edac/mc/mc1/csrow0/ch1_ce_count')).toBe('mc1/csrow0/ch1_ce_count');
    expect(edacPlace('sys/devices/system/edac/pci/x')).toBeUndefined();
  });
});
