/** @module Log lines in, events out. */
export type { FieldValue, LineParser, LogEvent } from './event.ts';
export { MAX_LINE } from './line.ts';
export { linuxConsoleParser } from './linux.ts';
export type { LinuxParserOptions } from './linux.ts';
export { xenConsoleParser } from './xen.ts';
export { hmpOutputEvents, qemuStderrParser } from './qemu.ts';
export { qmpEvent } from './qmp-events.ts';
export { CATALOG, catalogEvent, eventNames } from './catalog.ts';
export type { CatalogEvent, CatalogField, EventLayer, FieldType } from './catalog.ts';
