/** @module Older versions of a trace in the form of the newest: one step for each version, and each step a pure function. */
import { type Layer, TRACE_VERSION } from './event.ts';

/** A line of a trace as JSON says it; nothing in it has been checked. */
export type Line = Readonly<Record<string, unknown>>;

/** From one version to the next. What is not there stays as it is. */
interface Step {
  header?: (header: Line) => Line;
  event?: (event: Line) => Line;
}

const has = (value: unknown, key: string): boolean =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key);

/** The three shapes of a machine that version 1 knew, told by the parts that only they have. */
function layersOfParts(parts: unknown): Layer[] {
  if (has(parts, 'hostKernel')) return ['lab', 'machine', 'host', 'vmm', 'guest', 'process'];
  if (has(parts, 'xen')) return ['lab', 'vmm', 'xen', 'guest', 'process'];
  return ['lab', 'vmm', 'guest', 'process'];
}

/** What each version has changed; the entry of a version leads from it to the next. */
export const STEPS: Readonly<Record<number, Step>> = {
  // Version 2 names the layers in the header; version 1 left them to who knew what parts a kind of machine has.
  1: { header: header => ({ ...header, layers: layersOfParts(header.parts) }) },
};

/** The versions that can be read, in words. */
export const READS = `versions 1 to ${TRACE_VERSION}`;

/**
 * What leads from a version to the newest.
 * @param version a whole number from 1 to {@link TRACE_VERSION}
 * @returns functions that take a line of that version and give it in the newest form; they are pure and never throw
 */
export function modernizer(version: number): { header: (line: Line) => Line; event: (line: Line) => Line } {
  const steps: Step[] = [];
  for (let from = version; from < TRACE_VERSION; from++) steps.push(STEPS[from] ?? {});
  const headers = steps.flatMap(step => step.header ?? []);
  const events = steps.flatMap(step => step.event ?? []);
  return {
    header: line => headers.reduce((now, step) => step(now), { ...line, version: TRACE_VERSION } as Line),
    event: line => events.reduce((now, step) => step(now), line),
  };
}
