import { KVM, spiIrqWord } from './ioctl.ts';
import { ioctl } from './libc.ts';

/** A shared peripheral interrupt of a VM, as a function that sets its level. */
export function interruptLine(vmFd: number, spi: number): (level: boolean) => void {
  return level => {
    const argument = new Uint32Array([spiIrqWord(spi), level ? 1 : 0]);
    ioctl('KVM_IRQ_LINE', vmFd, KVM.IRQ_LINE, new Uint8Array(argument.buffer));
  };
}
