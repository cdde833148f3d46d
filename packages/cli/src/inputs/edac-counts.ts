/**
 * @module Counters of EDAC as sysfs has them, one value a file: `mc0/dimm3/dimm_ce_count`, `mc0/rank3/…`, and of before Linux 3.6 and of
 * csrows `mc0/csrow1/ch0_ce_count`. Source: Linux Documentation/ABI/testing/sysfs-devices-edac.
 */

const DIMM = /^(mc\d{1,3}\/(?:dimm|rank)\d{1,4})\/dimm_(ce_count|ue_count|label)$/;
const CHANNEL = /^(mc\d{1,3}\/csrow\d{1,4})\/ch(\d{1,2})_(ce_count|dimm_label)$/;
const CSROW = /^(mc\d{1,3}\/csrow\d{1,4})\/ue_count$/;

interface Counts {
  label?: string;
  ce: number;
  ue: number;
}

export interface EdacCounts {
  /** Below `edac/mc`. */
  place: string;
  label: string;
  ce: number;
  ue: number;
}

/** The counts of each DIMM that has an error. @param files by place below `edac/mc` */
export function edacCounts(files: ReadonlyMap<string, string>): EdacCounts[] {
  const dimms = new Map<string, Counts>();
  const rows = new Map<string, Counts>();
  const at = (all: Map<string, Counts>, place: string): Counts => {
    const known = all.get(place) ?? { ce: 0, ue: 0 };
    all.set(place, known);
    return known;
  };
  for (const [place, value] of files) {
    const count = /^\d{1,12}$/.test(value) ? Number(value) : 0;
    const dimm = DIMM.exec(place);
    const channel = CHANNEL.exec(place);
    const row = CSROW.exec(place);
    if (dimm !== null) {
      const counts = at(dimms, dimm[1] ?? '');
      if (dimm[2] === 'label') counts.label = value;
      else counts[dimm[2] === 'ce_count' ? 'ce' : 'ue'] = count;
    } else if (channel !== null) {
      const counts = at(rows, `${channel[1] ?? ''}/ch${channel[2] ?? ''}`);
      if (channel[3] === 'dimm_label') counts.label = value;
      else counts.ce = count;
    } else if (row !== null) at(rows, row[1] ?? '').ue = count;
  }
  // Drivers show both; where there are DIMMs the rows say the same again.
  const found = [...(dimms.size > 0 ? dimms : rows)].filter(([, { ce, ue }]) => ce + ue > 0);
  return found
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([place, { label, ce, ue }]) => {
      const name = label === undefined || /^\s*$/.test(label) ? place.replaceAll('/', ' ') : label;
      return { place, label: name.replaceAll(/\s+/g, ' ').slice(0, 120), ce, ue };
    });
}

/** The counts as `ras-mc-ctl --error-count` prints them. */
export const edacText = ({ label, ce, ue }: EdacCounts): string => `Label\tCE\tUE\n${label}\t${ce}\t${ue}\n`;
