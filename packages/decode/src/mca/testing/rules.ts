/** @module Rules asked about a whole record, for tests: what decides is taken out of it first. */
import { componentOf, rootPortOf } from '../component.ts';
import type { Component } from '../component.ts';
import { decidingOf } from '../deciding.ts';
import { miscLayout } from '../describe.ts';
import { textOf } from '../error-words.ts';
import type { X86McaRecord } from '../record.ts';
import type { Register } from '../../registers/register.ts';

export const component = (record: X86McaRecord): Component => componentOf(decidingOf(record));
export const ioRootPort = (record: X86McaRecord): string | undefined => rootPortOf(decidingOf(record));
export const errorText = (record: X86McaRecord): string | undefined => textOf(decidingOf(record));
export const miscRegister = (record: X86McaRecord): Register | undefined => miscLayout(decidingOf(record));
