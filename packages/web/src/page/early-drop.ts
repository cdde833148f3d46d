/**
 * @module Files that are dropped before the page can read them. A browser would leave the page and open them itself, so they are
 * kept, and handed over as soon as the page listens.
 */

const NAME = 'syndrome-dropped';

export const isFileDrag = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') === true;

/** Keeps what is dropped. @returns ends that, and hands it over */
export function keepDrops(): () => void {
  const kept: File[] = [];
  const take = (event: DragEvent): void => {
    if (isFileDrag(event)) event.preventDefault();
    if (event.type === 'drop') kept.push(...(event.dataTransfer?.files ?? []));
  };
  const types = ['dragover', 'drop'] as const;
  for (const type of types) addEventListener(type, take);
  return () => {
    for (const type of types) removeEventListener(type, take);
    if (kept.length > 0) dispatchEvent(new CustomEvent(NAME, { detail: kept }));
  };
}

/** Takes what was kept. @returns how that is ended */
export function onKeptDrops(take: (files: readonly File[]) => void): () => void {
  const given = (event: Event): void => take((event as CustomEvent<readonly File[]>).detail);
  addEventListener(NAME, given);
  return () => removeEventListener(NAME, given);
}
