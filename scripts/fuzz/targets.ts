/** All that is fuzzed. What has to hold for every input stands in the file of its room. */
import { BUNDLE } from './bundle.ts';
import { CLI } from './cli.ts';
import { DECODE } from './decode.ts';
import { GDB } from './gdb.ts';
import { GROWTH } from './growth.ts';
import { GUEST } from './guest.ts';
import { LAB } from './lab.ts';
import { LIBVIRT } from './libvirt.ts';
import { QMP } from './qmp.ts';
import { READERS } from './readers.ts';
import { RECORD_TARGETS } from './records.ts';
import { SUPPLY } from './supply.ts';
import { SUPERVISOR } from './supervisor.ts';
import type { Target } from './target.ts';
import { TEXT } from './text.ts';
import { TRIAGE } from './triage.ts';
import { VMM } from './vmm.ts';
import { WRITERS } from './writers.ts';
import { XML } from './xml.ts';

export const TARGETS: readonly Target[] = [
  ...DECODE,
  ...TEXT,
  ...READERS,
  ...TRIAGE,
  ...RECORD_TARGETS,
  ...QMP,
  ...LIBVIRT,
  ...GUEST,
  ...GDB,
  ...XML,
  ...SUPPLY,
  ...VMM,
  ...SUPERVISOR,
  ...LAB,
  ...CLI,
  ...BUNDLE,
  ...WRITERS,
  ...GROWTH,
];
