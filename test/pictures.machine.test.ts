/**
 * The pictures of the docs are golden pictures: of every page, light and dark, as it is now. `npm run docs:pictures` takes
 * them anew, where the change is meant.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { skipWithout } from '@syndrome/lab/supply/testing/required.ts';
import { TestBrowser } from '@syndrome/web/testing/browser.ts';
import { pictureDifference } from '@syndrome/web/testing/picture-difference.ts';
import { MOMENTS, PICTURE_NAMES, VERSION_FILE } from '../scripts/picture-list.ts';

const ROOT = join(import.meta.dirname, '..');
const GOLDEN = join(ROOT, 'docs/pictures');
const run = promisify(execFile);
const tested = TestBrowser.ofTests();

test('the pages look as in the pictures of the docs', { timeout: 240_000 }, async context => {
  const { browser } = tested;
  const taken = readFileSync(join(GOLDEN, VERSION_FILE), 'utf8').trim();
  const folder = mkdtempSync(join(tmpdir(), 'syndrome-pictures-'));
  await run(process.execPath, [join(ROOT, 'scripts/pictures.ts'), '--out', folder], { cwd: ROOT, timeout: 200_000 });
  const { page } = await browser.visit('data:text/html,pictures');
  const faults: string[] = [];
  for (const name of PICTURE_NAMES.filter(name => !MOMENTS.includes(name))) {
    const [golden, seen] = [GOLDEN, folder].map(where => readFileSync(join(where, `${name}.png`)));
    const difference = await pictureDifference(page, golden as Buffer, seen as Buffer);
    if (difference === undefined) continue;
    faults.push(`${name}: ${difference.what}`);
    writeFileSync(join(folder, `${name}-golden.png`), golden as Buffer);
    if (difference.where !== undefined) writeFileSync(join(folder, `${name}-difference.png`), difference.where);
  }
  // Another one may paint letters otherwise; where it is the browser of the CI, the pictures are taken anew.
  if (faults.length > 0 && browser.version !== taken)
    skipWithout(
      context,
      'mirror',
      `the pictures are of Chromium ${taken}, here is ${browser.version}: ${faults.join(', ')}`,
    );
  expect(faults, `golden, seen and difference are in ${folder}; npm run docs:pictures takes new ones`).toEqual([]);
  rmSync(folder, { recursive: true });
});

test('a picture that a person would find different is found', async () => {
  const { page } = await tested.browser.visit('data:text/html,<p style="color:%23223344">one</p>');
  const one = await page.screenshot();
  const inColour = async (colour: string): Promise<Buffer> => {
    await page.setContent(`<p style="color:${colour}">one</p>`);
    return await page.screenshot();
  };
  const [nearly, other] = [await inColour('#223346'), await inColour('#264')];
  await page.setViewportSize({ width: 800, height: 600 });
  const small = await page.screenshot();
  expect(await pictureDifference(page, one, one)).toBe(undefined);
  expect([nearly.equals(one), await pictureDifference(page, one, nearly)]).toEqual([false, undefined]);
  expect((await pictureDifference(page, one, other))?.what).toMatch(/^\d+ pixels$/);
  // So little nobody sees in a few pixels; in all of them it is another colour.
  const ground = async (colour: string): Promise<Buffer> => {
    await page.setContent(`<body style="background:${colour}">`);
    return await page.screenshot();
  };
  expect((await pictureDifference(page, await ground('#fff'), await ground('#fdfdfd')))?.what).toMatch(/^\d+ pixels$/);
  expect((await pictureDifference(page, one, other))?.where?.subarray(1, 4).toString()).toBe('PNG');
  expect(await pictureDifference(page, one, small)).toEqual({
    what: '1440 × 900 and 800 × 600 pixels',
    where: undefined,
  });
});
