/** The registers of a 16550A. Source: TL16C550 data sheet, "Accessible Registers"; Linux uapi serial_reg.h. */
import { bit, bits, defineRegister } from '@syndrome/decode/registers/register.ts';

const SOURCE = 'TL16C550 data sheet, Accessible Registers';

export const IER = defineRegister({
  name: 'IER',
  width: 8,
  source: SOURCE,
  fields: [
    bit(3, 'MODEM', 'modem status interrupt'),
    bit(2, 'LINE', 'receiver line status interrupt'),
    bit(1, 'TX', 'transmitter holding register empty interrupt'),
    bit(0, 'RX', 'received data available interrupt'),
  ],
});

export const FCR = defineRegister({
  name: 'FCR',
  width: 8,
  source: SOURCE,
  fields: [
    bits(7, 6, 'TRIGGER', 'receiver trigger level'),
    bit(3, 'DMA_MODE', 'DMA mode'),
    bit(2, 'CLEAR_TX', 'transmitter FIFO reset'),
    bit(1, 'CLEAR_RX', 'receiver FIFO reset'),
    bit(0, 'ENABLE', 'FIFOs enabled'),
  ],
});

export const LCR = defineRegister({
  name: 'LCR',
  width: 8,
  source: SOURCE,
  fields: [bit(7, 'DLAB', 'divisor latch access')],
});

export const MCR = defineRegister({
  name: 'MCR',
  width: 8,
  source: SOURCE,
  fields: [
    bit(4, 'LOOPBACK', 'loopback'),
    bit(3, 'OUT2', 'output 2'),
    bit(2, 'OUT1', 'output 1'),
    bit(1, 'RTS', 'request to send'),
    bit(0, 'DTR', 'data terminal ready'),
  ],
});

export const LSR = defineRegister({
  name: 'LSR',
  width: 8,
  source: SOURCE,
  fields: [
    bit(6, 'TEMT', 'transmitter empty'),
    bit(5, 'THRE', 'transmitter holding register empty'),
    bit(0, 'DATA_READY', 'data ready'),
  ],
});

export const MSR = defineRegister({
  name: 'MSR',
  width: 8,
  source: SOURCE,
  fields: [
    bit(7, 'DCD', 'data carrier detect'),
    bit(6, 'RI', 'ring indicator'),
    bit(5, 'DSR', 'data set ready'),
    bit(4, 'CTS', 'clear to send'),
  ],
});
