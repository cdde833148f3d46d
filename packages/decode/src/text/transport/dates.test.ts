import { describe, expect, it } from 'vitest';
import { dateIn } from './dates.ts';

describe('a date', () => {
  it.each([
    ['Date/Time:   02/19/2015 03:33:47', true, '2015-02-19 03:33:47'],
    ['Timestamp       = 2017-03-07 23:08:02', true, '2017-03-07 23:08:02'],
    ['"Created": "2021-10-29T12:28:00Z",', true, '2021-10-29 12:28:00Z'],
    ['LAST_UPDATE="04/14/2014 12:34" INITIAL_UPDATE="04/04/2014 12:30"', true, '2014-04-04 12:30:00'],
    ['11 E 01/31/2020; 01:00:59 0x806f030c2008ffff', true, '2020-01-31 01:00:59'],
    ['0002 Critical       10:11  05/02/2012 10:12  05/02/2012 0001', true, '2012-05-02 10:12:00'],
    ['Date:          11/9/2024 9:55:33 PM', false, '2024-11-09 21:55:33'],
    ['Date:          1/12/2022 12:08:33 AM', false, '2022-01-12 00:08:33'],
    ['Datum:         09.11.2024 09:55:33', false, '2024-11-09 09:55:33'],
    ['Date:          25/11/2024 09:55:33', false, '2024-11-25 09:55:33'],
    ['Date and Time : Mon Mar  9 03:52:47 2020', true, '2020-03-09 03:52:47'],
    ['Date and Time : Mon Mra 9 03:52:47 2020', true, undefined],
    // Nothing tells which is the month.
    ['Date:          09/11/2024 09:55:33', false, undefined],
    ['version 1.2.3 at 10:11', true, undefined],
    ['99/99/2024 10:11:12', true, undefined],
  ])('%s', (line, isMonthFirst, date) => {
    expect(dateIn(line, isMonthFirst)).toBe(date);
  });
});
