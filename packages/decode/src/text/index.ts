/** @module Log lines in, events out. */
export type { FieldValue, LineParser, LogEvent } from './event.ts';
export { MAX_LINE } from './transport/line.ts';
export { linuxConsoleParser } from './linux/linux.ts';
export type { LinuxParserOptions } from './linux/linux.ts';
export { xenConsoleParser } from './xen/xen.ts';
export { hmpOutputEvents, qemuStderrParser } from './qemu/qemu.ts';
export { qmpEvent } from './qemu/qmp-events.ts';
