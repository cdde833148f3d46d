import { qemu } from './qemu.ts';
import { reference } from './reference.ts';

/** The VMMs that can stand inside a host layer, by name; a kind of machine (../machines/) says which one it has. */
export const VMMS = { qemu, reference } as const;
