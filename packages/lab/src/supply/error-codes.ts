import type { SupplyCode } from './errors.ts';

/** What the supply throws, for `--explain`: what happened, and what to do. */
export const SUPPLY_ERROR_CODES: Readonly<Record<SupplyCode | 'E_SUPPLY_KERNEL_QUERY' | 'E_SUPPLY_XEN_QUERY', string>> =
  {
    E_SUPPLY_ABORTED: 'A signal stopped the fetching; nothing half done is left in the cache. Run again to go on.',
    E_SUPPLY_APT:
      'apt-get failed for a reason of its own, could not be started, or a package does not hold what it should. The message of apt is the cause; `syndrome supply clean` removes its private state.',
    E_SUPPLY_CACHE:
      'The folder of the cache cannot be used: its owner, its permissions, or a character in its name that apt cannot take. Put it elsewhere with SYNDROME_CACHE.',
    E_SUPPLY_COMPILE:
      'The tool chain from the cache could not build a program for the guest. The messages of the compiler are the cause.',
    E_SUPPLY_DAMAGED:
      'A file is not what its signed checksum, or the note of its unpacking, says. Try again: it is fetched anew; if it stays so, name another mirror with SYNDROME_MIRROR.',
    E_SUPPLY_DEADLINE:
      'A program of the package system did not end in its time and was ended. Try again; a slow network or disk is a common reason.',
    E_SUPPLY_DISK_FULL:
      'The disk or quota of the cache has no room for a part. Free some space, or put the cache elsewhere with SYNDROME_CACHE.',
    E_SUPPLY_FILE:
      'A file of your own (--qemu, --kernel, --xen, --firmware) is missing, not readable, or not an image of that kind and architecture.',
    E_SUPPLY_KERNEL_QUERY:
      'What was given as a kernel is no version. Give newest, a series (6.19), a version (7.2.12), or the path of an image.',
    E_SUPPLY_KEYRING:
      'The packages are signed with a key that this machine does not hold. Bring debian-archive-keyring and gpgv up to date.',
    E_SUPPLY_LOCKED:
      'Another process works on the same part or the same cache and did not end in time. Wait for it, or end it.',
    E_SUPPLY_NETWORK:
      'The package mirror, or for the VMM the npm registry, could not be reached or refused to answer. Check network and proxy, name another mirror with SYNDROME_MIRROR, or give files of your own.',
    E_SUPPLY_NOT_DEBIAN:
      'Parts come from Debian packages, and this machine lacks apt-get or dpkg-deb, or has a processor for which there are none. Install apt and dpkg, or give files of your own (--qemu, --kernel).',
    E_SUPPLY_NO_MIRROR:
      'No Debian mirror is configured in the apt of this machine, or the one given is no address of a mirror. Name one with SYNDROME_MIRROR (http://HOST/debian).',
    E_SUPPLY_OFFLINE: 'What is needed is not in the cache, and the run may not use the network. Fetch it once with it.',
    E_SUPPLY_SIGNATURE:
      'A signature or a hash does not hold; nothing of the file was used. Check the clock of this machine and whether a proxy changes what it delivers, then try another mirror.',
    E_SUPPLY_SUITE:
      'The mirror does not carry a Debian suite that is needed. Name a complete one with SYNDROME_MIRROR.',
    E_SUPPLY_WITHDRAWN:
      'The mirror no longer offers a version: packages leave the archive when newer ones arrive. Ask for another version, or for newest.',
    E_SUPPLY_XEN_QUERY: 'What was given as Xen is no version. Give 4.20, 4.17, or the path of an uncompressed image.',
  };
