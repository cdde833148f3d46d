/** @module The folder of a drill: two hosts, a controller, their files. Sockets have short paths, so that it lies in the folder for temporary files. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireSafeTemporary } from '@syndrome/base/disk/own-folder.ts';
import { LINES } from './vm.ts';

export const HOSTS = ['a', 'b'] as const;
export type DrillHost = (typeof HOSTS)[number];

/** What is done at which error; the drill is no test of thresholds, but of everything between an event and a VM elsewhere. */
const POLICY = {
  schema: 1,
  name: 'drill',
  version: '1',
  mode: 'act',
  rules: [
    { name: 'third-error', of: 'vm', when: { errors: 3, within: '1d' }, do: 'restart-elsewhere', drain: true },
    { name: 'vm-error', of: 'vm', when: { errors: 1 }, do: 'tell' },
  ],
};

export interface DrillFolder {
  path: string;
  /** The file of the controller's site. */
  controller: string;
  ledger: string;
  disk: string;
  secret: Uint8Array;
  host(host: DrillHost): { site: string; vms: string; drill: string };
  log(name: string): string;
}

/** Makes the folder with all files that agents and controller read, for this user alone. */
export function drillFolder(program: string, webhook: (secretFile: string, allow: string) => object): DrillFolder {
  requireSafeTemporary(tmpdir());
  const path = mkdtempSync(join(tmpdir(), 'syndrome-drill-'));
  const write = (name: string, data: unknown): string => {
    const file = join(path, name);
    writeFileSync(file, typeof data === 'string' ? data : JSON.stringify(data), { mode: 0o600 });
    return file;
  };
  const secret = randomBytes(32);
  const secretFile = write('secret', `whsec_${secret.toString('base64')}\n`);
  const policy = write('policy.yaml', POLICY);
  const [home, disk] = [join(path, 'c'), join(path, 'disk.img')];
  const controller = write('controller.yaml', {
    site: 'drill',
    folder: home,
    policy,
    notify: [webhook(secretFile, '127.0.0.1/32')],
  });
  const hosts = Object.fromEntries(
    HOSTS.map(host => {
      const vms = join(path, host, 'vms');
      mkdirSync(join(vms, LINES.guest, '..'), { recursive: true, mode: 0o700 });
      const drill = write(join(host, 'drill.ndjson'), '');
      const agent = {
        host,
        controller: join(home, 'run/agents.sock'),
        start: { folder: vms, logs: join(path, host, 'logs'), programs: [program] },
        // The kernel of this machine has nothing to do with it.
        kmsg: false,
        trace: false,
        storage: [disk],
        drill,
      };
      return [host, { site: write(`${host}.yaml`, { site: 'drill', folder: join(path, host), agent }), vms, drill }];
    }),
  );
  return {
    path,
    controller,
    ledger: join(home, 'ledger/ledger.sqlite'),
    disk,
    secret,
    host: host => hosts[host] as ReturnType<DrillFolder['host']>,
    log: name => join(path, `${name}.log`),
  };
}
