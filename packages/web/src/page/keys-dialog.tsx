/** @module The table of keys, as `?` shows it: the one that binds them. */
import { useLayoutEffect, useRef } from 'preact/hooks';
import { groupsOf, type KeyRow } from '../view/keys.ts';
import type { PageName } from '../view/masthead.ts';

/** What no table of keys says: what a pointer does, and keys inside of an element. */
const POINTER: Readonly<Record<PageName | 'fleet', string>> = {
  fleet: 'The slider goes over the inputs of the ledger; in the list arrows go from row to row.',
  trace: 'In the lanes: the wheel goes closer, with Shift it moves; drag moves; a click chooses an event.',
  decode: 'In a register: arrows go from bit to bit, Space turns one; its value can be typed.',
  runs: 'In the list: arrows, Home, End and page keys go from file to file; a click opens one.',
  matrix: 'In the table: arrows, Home, End and page keys go from cell to cell; a click shows the details.',
};

export function KeysDialog({
  rows,
  page,
  onClose,
}: {
  rows: readonly KeyRow<string>[];
  page: PageName | 'fleet';
  onClose: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  // Before the next key, which is the dialog's.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class="keys"
      aria-labelledby="keys-head"
      onClose={onClose}
      onClick={event => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <header class="pane-head">
        <h2 id="keys-head">Keys</h2>
        <button type="button" class="button" onClick={onClose}>
          close <kbd>Esc</kbd>
        </button>
      </header>
      <div class="keys-groups">
        {groupsOf(rows).map(([group, list]) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {list.map(({ keys, does }) => (
                <div key={does}>
                  <dt>
                    {keys.map(key => (
                      <kbd key={key}>{key === 'Escape' ? 'Esc' : key}</kbd>
                    ))}
                  </dt>
                  <dd>{does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <p class="muted">{POINTER[page]}</p>
    </dialog>
  );
}
