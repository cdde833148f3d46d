/** @module Colours by what they mean. The page reads them from its style sheet; a picture takes them along. */
import type { Layer } from '@syndrome/trace/event.ts';

/** Names of custom properties without their dashes; each is a colour. */
export const COLORS = [
  'bg',
  'lane',
  'grid',
  'text',
  'muted',
  'line',
  'accent',
  'bad',
  'good',
  'run-a',
  'run-b',
  'layer-lab',
  'layer-machine',
  'layer-host',
  'layer-vmm',
  'layer-xen',
  'layer-guest',
  'layer-domu',
  'layer-process',
] as const;
export type Color = (typeof COLORS)[number];
export type Palette = Readonly<Record<Color, string>>;

export const layerColor = (layer: Layer): Color => `layer-${layer}`;
/** Of the two runs; never red or green, which say what is bad and what held. */
export const runColor = (run: number): Color => (run === 0 ? 'run-a' : 'run-b');
