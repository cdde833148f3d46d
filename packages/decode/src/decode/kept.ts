/** @module What one decoder keeps from record to record: it saves time and changes no answer. */
import { FieldRows } from './mca-fields.ts';
import { McaPatterns } from './mca-pattern.ts';
import { OutlookPatterns } from './outlook-pattern.ts';
import { EpochTimes } from './time.ts';

/** Made once for each decoder; records of one `Kept` that say the same share what is made of it. */
export class Kept {
  readonly patterns = new McaPatterns();
  readonly outlooks = new OutlookPatterns();
  readonly rows = new FieldRows();
  readonly times = new EpochTimes();
}
