/**
 * @module A fence agent for tests that speaks as those of ClusterLabs do. Its "host" is a real process: `off` kills it, `status` reads
 * from /proc whether it is there. How it fails is said by files in its folder: `liar` (off does nothing), `mute` (status fails), `bare` (exit code 2 and
 * no word, as a shell ends on a wrong option).
 */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FenceAgent } from '../fence.ts';

const SCRIPT = `#!/bin/sh
d=\${0%/*}
while read -r line; do case $line in action=*) action=\${line#*=} ;; password=*) password=\${line#*=} ;; plug=*) pid=\${line#*=} ;; esac; done
echo "$action" >> "$d/calls"
[ "$password" = 'pass=word' ] || { echo "Unable to connect/login: $password" >&2; exit 1; }
case $action in
off)
  [ -e "$d/liar" ] && exit 0
  [ -e "/proc/$pid/stat" ] || { echo '409 Conflict: it is off already' >&2; exit 1; }
  kill -9 "$pid" ;;
status)
  [ -e "$d/mute" ] && { echo 'Unable to connect/login to fencing device' >&2; exit 1; }
  [ -e "$d/bare" ] && exit 2
  case $(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null) in [RSDTt]*) echo 'Status: ON' ;; *) echo 'Status: OFF'; exit 2 ;; esac ;;
*) exit 1 ;;
esac
`;

/** Makes it in a folder; the host is the process of a pid. */
export function pidFence(folder: string, pid: number): { agent: FenceAgent; calls: () => string[] } {
  const program = join(folder, 'fence_pid');
  writeFileSync(program, SCRIPT);
  chmodSync(program, 0o755);
  const secret = join(folder, 'bmc.secret');
  writeFileSync(secret, 'pass=word\n', { mode: 0o600 });
  return {
    agent: { argv: [program], options: { plug: String(pid) }, secretFiles: { password: secret } },
    calls: () => readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n'),
  };
}
