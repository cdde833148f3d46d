import { arm64Qemu } from './arm64-qemu.ts';
import { qemu } from './qemu.ts';
import { reference } from './reference.ts';

/** The VMMs that can stand inside a host layer, by name; a kind of machine (../machines/) says which one it has. */
export const VMMS = { qemu, arm64Qemu, reference } as const;
