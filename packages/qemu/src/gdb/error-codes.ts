/** What the debugger's room throws, for `--explain`: what happened, and what to do. */
export const GDB_ERROR_CODES: Readonly<Record<string, string>> = {
  E_GDB_BAD_DEADLINE: 'A deadline is not a positive, finite time in milliseconds (at most 24 days).',
  E_GDB_CLOSED:
    'The connection to the gdbstub ended while something was asked, or before; it may or may not have been done. QEMU has ended, or serves another debugger.',
  E_GDB_CONNECT: 'Nobody answers at the address of the gdbstub. Start QEMU with -gdb, and check the path or port.',
  E_GDB_DEADLINE: 'The gdbstub did not answer in time. The connection stays usable; a late answer is dropped.',
  E_GDB_PROTOCOL: 'The peer sent something that is not the GDB remote protocol; the connection was closed.',
  E_GDB_RANGE: 'A range does not lie in 64-bit addresses, or is longer than one call may be.',
  E_GDB_REMOTE:
    'The gdbstub refused a request. QEMU writes errno in decimal: E14 is EFAULT (nothing is mapped there), E22 is EINVAL.',
  E_GDB_STATE: 'The request needs a halted machine, or the machine has ended. Halt it first.',
  E_GDB_THREAD: 'This is no thread id of the remote protocol. Use one that the stub lists.',
  E_GDB_UNSUPPORTED:
    'The gdbstub, or the machine behind it, does not have the request, the register or the feature. Physical memory mode came with QEMU 4.1.',
  E_GDB_VALUE: 'A value does not fit the width of its register.',
  E_GDB_WRITE:
    'The stub accepted a write to a register, and the register holds another value: QEMU lets a debugger change general registers only.',
  E_STAGE2_ADDRESS: 'The address cannot be that of a translation table in this configuration; nothing was written.',
  E_STAGE2_CHANGED:
    'The host changed the stage-2 descriptor that was broken before it could be restored: the memory is no longer ours to write. The guest may be gone.',
  E_STAGE2_CONFIG:
    'VTCR_EL2 or VTTBR_EL2 holds what is reserved or not supported. Both have to be read from the same vCPU while it runs a guest.',
  E_STAGE2_NOT_KEPT: 'A descriptor was written and reads back as another value; the write was undone where possible.',
  E_STAGE2_NO_CHANGE: 'The descriptor already has the value that was to be written: nothing would be broken.',
  E_STAGE2_NO_GUEST:
    'No vCPU was seen executing in the nested guest. One that waits for an interrupt is not executing: let it run a busy loop.',
  E_STAGE2_NO_TABLE:
    'The walk for this guest physical address has no table descriptor to break: a block covers it, or nothing does. Back the memory by small pages, and let the guest touch a page beside it first.',
};
