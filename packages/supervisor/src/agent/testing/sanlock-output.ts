/**
 * @module What sanlock 3.8.5 and its wdmd print, as it was seen: two daemons on one lockspace file, io_timeout 2. wdmd ran on a device that takes every
 * command and resets nothing.
 */

/** `sanlock client status -D -o s`, of a daemon with a watchdog whose lockspace is marked as used. What says nothing of leases is left out. */
export const STATUS = `daemon host-a
    our_host_name=host-a
    use_watchdog=1
    high_priority=0
    kill_grace_seconds=40
    monotime=16923
    version_str=3.8.5
p -1 helper
    ci=0
    fd=5
    pid=-1
    flags=0
p -1 status
    ci=2
    fd=9
    pid=-1
s LS1:1:/leases/ls:0
    list=spaces
    space_id=1
    io_timeout=2
    sector_size=512
    align_size=1048576
    host_generation=1
    renew_fail=0
    space_dead=0
    killing_pids=0
    used_retries=0
    external_used=1
    used_by_orphans=0
    renewal_read_extend_sec=2
    set_max_sectors_kb=0
    corrupt_result=0
    acquire_last_result=1
    renewal_last_result=1
    acquire_last_attempt=16913
    acquire_last_success=16913
    renewal_last_attempt=16923
    renewal_last_success=16923`;

/** `wdmd -d`, of the same moment. */
export const WDMD = `wdmd 25122 socket_gid 0 high_priority 0 now 16924 last_keepalive 16923 last_closeunclean 0 allow_scripts 0 kill_script_sec 0
client 0 name signal pid 0 fd 5 dead 0 ref 0 now 16924 renewal 0 expire 0
client 1 name listen pid 0 fd 6 dead 0 ref 0 now 16924 renewal 0 expire 0
client 2 name sanlock_LS1:1 pid 25124 fd 8 dead 0 ref 1 now 16924 renewal 16923 expire 16939
client 3 name dump pid 0 fd 9 dead 0 ref 0 now 16924 renewal 0 expire 0`;

/** `sanlock client host_status -s LS1 -D` of host id 2. `live` and `timestamp` are of host id 1. */
export const hostStatus = (checked: number, live: number, timestamp: number): string => `1 timestamp ${timestamp}
    last_check=${checked}
    last_live=${live}
    last_req=0
    owner_id=1
    owner_generation=1
    timestamp=${timestamp}
    io_timeout=2
    owner_name=host-a
2 timestamp ${checked - 5}
    last_check=${checked}
    last_live=${checked}
    last_req=0
    owner_id=2
    owner_generation=1
    timestamp=${checked - 5}
    io_timeout=2
    owner_name=host-b`;

/** `sanlock client gets -h 1` of host id 2: a host id that nobody has is not among them. */
export const words = (of1: string): string =>
  ['s LS1:2:/leases/ls:0 ', of1 === '' ? '' : `h 1 gen 1 timestamp 16700 ${of1}`, 'h 2 gen 1 timestamp 16857 LIVE']
    .filter(line => line !== '')
    .join('\n');
