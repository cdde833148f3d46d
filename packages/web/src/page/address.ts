/** @module The address line: it follows what is looked at, and what is looked at follows it. */
import { useEffect, useRef } from 'preact/hooks';
import type { PagesModel, Place } from './pages.ts';

/** How long nothing changes before the address does, ms: who walks through a list leaves one entry behind. */
const STILL_MS = 250;

/** What an entry of the history keeps beside its address. */
interface Entry {
  /** Of this loading of the page: another one has opened nothing. */
  loaded: number;
  place: Place;
}

/** Where nothing was chosen yet, what is chosen first is no other place. */
const isSame = (a: Place, b: Place): boolean =>
  a.page === b.page && a.opened === b.opened && (a.chosen === b.chosen || a.chosen === '' || b.chosen === '');

/**
 * Keeps the address such that a copy of it and a reload lead here again, and the browser's Back to where one was before: on
 * another page, in another input, at another record.
 */
export function useAddress(pages: PagesModel): void {
  /** Where the address is; undefined until the page shows what it was opened for. */
  const at = useRef<Place | undefined>(undefined);
  /** The browser leads, and the page is on its way. */
  const led = useRef(false);
  const [hash, place] = [pages.hash(), pages.place()];
  const isThere = pages.started.value && !pages.isReading;
  useEffect(() => {
    // Until then the address is the question, not the answer.
    if (!isThere) return;
    const timer = setTimeout(
      () => {
        const { current: from } = at;
        const isNew = from !== undefined && !led.current && !isSame(from, place);
        const entry: Entry = { loaded: performance.timeOrigin, place };
        // A page that was opened empty has the address of its file.
        const isBare = from === undefined && place.opened === 0 && hash === `#${place.page}` && place.page !== 'runs';
        try {
          if (isNew) history.pushState(entry, '', hash);
          else history.replaceState(entry, '', isBare ? undefined : hash);
        } catch {
          // A browser may forbid it for files; the link is made when it is asked for.
        }
        at.current = place;
      },
      at.current === undefined ? 0 : STILL_MS,
    );
    return () => clearTimeout(timer);
  }, [hash, place.page, place.opened, place.chosen, isThere]);
  useEffect(() => {
    const onPop = ({ state }: PopStateEvent): void => {
      const entry = state as Entry | null;
      led.current = true;
      const known = entry?.loaded === performance.timeOrigin ? entry.place : undefined;
      void pages.follow(location.hash, known).finally(() => {
        led.current = false;
        at.current = pages.place();
      });
    };
    addEventListener('popstate', onPop);
    return () => removeEventListener('popstate', onPop);
  }, [pages]);
}
