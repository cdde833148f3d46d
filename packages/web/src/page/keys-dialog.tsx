/** @module The table of keys, as `?` shows it: the one that binds them. */
import { useEffect, useRef } from 'preact/hooks';
import { groupsOf, type KeyRow } from '../view/keys.ts';

export function KeysDialog({
  rows,
  lanes,
  onClose,
}: {
  rows: readonly KeyRow<string>[];
  lanes: boolean;
  onClose: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
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
      <p class="muted">
        {lanes
          ? 'In the lanes: the wheel goes closer, with Shift it moves; drag moves; a click chooses an event.'
          : 'In a register: arrows go from bit to bit, Space turns one; its value can be typed.'}
      </p>
    </dialog>
  );
}
