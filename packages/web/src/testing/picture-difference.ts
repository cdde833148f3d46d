/** @module Two pictures, pixel by pixel, in a browser: nothing else here reads a PNG. */
import type { Page } from 'playwright-core';

/**
 * The same page is painted with a few pixels one step lighter or darker from time to time (seen: 19 of 1.3 million); whatever
 * a person could see is more.
 */
const STEPS = 8;
/** The share of pixels that may differ so little: in more of them it is another colour. */
const SHARE = 1 / 1000;

/** Runs in the page: [a, b, steps, share] → what differs, with a picture of where. */
const COMPARE = `async ([a, b, steps, share]) => {
  const pixels = async url => {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, image.width, image.height);
  };
  const [one, two] = [await pixels(a), await pixels(b)];
  if (one.width !== two.width || one.height !== two.height) return { size: [one, two].map(i => i.width + ' × ' + i.height) };
  const far = (i, than) => [0, 1, 2].some(c => Math.abs(one.data[i + c] - two.data[i + c]) > than);
  let slight = 0;
  for (let i = 0; i < one.data.length; i += 4) slight += far(i, 0);
  const most = slight > (share * one.data.length) / 4 ? 0 : steps;
  let count = 0;
  for (let i = 0; i < one.data.length; i += 4) {
    const isOther = far(i, most);
    count += isOther;
    const pale = 200 + (one.data[i] + one.data[i + 1] + one.data[i + 2]) / 20;
    one.data.set(isOther ? [220, 0, 0, 255] : [pale, pale, pale, 255], i);
  }
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [one.width, one.height];
  canvas.getContext('2d').putImageData(one, 0, 0);
  return { count, where: canvas.toDataURL('image/png') };
}`;

interface PictureDifference {
  /** In a sentence. */
  what: string;
  /** The first picture in grey with the pixels that differ in red; none where the sizes differ. */
  where: Buffer | undefined;
}

/**
 * What differs between two PNG files.
 * @param page any page, without a policy that refuses images
 * @returns undefined where nobody can see a difference
 */
export async function pictureDifference(page: Page, a: Buffer, b: Buffer): Promise<PictureDifference | undefined> {
  if (a.equals(b)) return undefined;
  const urls = [a, b].map(bytes => `data:image/png;base64,${bytes.toString('base64')}`);
  const found = (await page.evaluate(`(${COMPARE})(${JSON.stringify([...urls, STEPS, SHARE])})`)) as
    | { size: string[] }
    | { count: number; where: string };
  if ('size' in found) return { what: `${found.size.join(' and ')} pixels`, where: undefined };
  if (found.count === 0) return undefined;
  return { what: `${found.count} pixels`, where: Buffer.from(found.where.replace(/^[^,]*,/, ''), 'base64') };
}
