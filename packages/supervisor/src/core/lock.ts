/** @module Whether QEMU's lock on the disks of a VM can say anything of its copies, and on which storage they are. */
import type { Policy } from './policy.ts';
import { reaches } from './target.ts';
import type { Host, Vm } from './state.ts';

/** Between a name and its value, also in JSON within JSON or XML. */
const SIGN = String.raw`(?:&quot;|[\\"'\s])*[=:](?:&quot;|[\\"'\s])*`;
/**
 * A QEMU that was told so holds no lock, or one that lets another writer in (qemu(1): `locking`, `force-share`, `share-rw`; libvirt makes the
 * last of `<shareable/>`): a free lock says nothing of it.
 */
const UNLOCKED = new RegExp(
  String.raw`locking${SIGN}off|(?:share-rw|force-share)(?!${SIGN}(?:off|false|no)\b)|<shareable\b`,
  'i',
);

/** Whether each copy of a VM holds QEMU's lock for as long as it runs, as far as its definition tells. */
function holdsLock({ vmm, disks, definition }: Vm): boolean {
  return (
    disks.length > 0 && vmm !== 'reference' && vmm !== 'exec' && definition !== undefined && !UNLOCKED.test(definition)
  );
}

/** Whether the storage of a VM may be asked: its answer counts under this policy, and says something. */
export function mayAskLock({ proofs }: Policy, vm: Vm): boolean {
  return proofs.imageLock !== 'never' && holdsLock(vm);
}

/** The storage that the disks of a VM lie on, by the names that a host has for it; empty where one of them is on none. */
export function storageOf(host: Host, { disks }: Vm): string[] {
  const names = disks.map(disk => host.storage.find(name => reaches([name], disk)));
  return names.includes(undefined) ? [] : [...new Set(names.flatMap(name => name ?? []))].toSorted();
}
