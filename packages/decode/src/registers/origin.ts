/** Where a record was read: the source's name and its line range there, counted from 1. */
export interface RecordOrigin {
  source: string;
  firstLine: number;
  lastLine: number;
}
