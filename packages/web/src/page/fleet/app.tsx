/** @module The page of a fleet: what needs a person first, why, and whether that is still so. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { hostCounts, hostSquares, leftOut, modeWords } from '../../view/fleet/rows.ts';
import { commandOf, FLEET_KEYS, type FleetCommand } from '../../view/keys.ts';
import { fleetMasthead } from '../../view/masthead.ts';
import { elementOf } from '../element.ts';
import { KeysDialog } from '../keys-dialog.tsx';
import { isStale } from '../server-stream.ts';
import { StreamWords } from '../stream-words.tsx';
import type { ThemeModel } from '../theme.ts';
import { VirtualList } from '../virtual-list.tsx';
import { Details } from './details.tsx';
import type { FleetModel } from './model.ts';

const ROW = 44;

interface Props {
  model: FleetModel;
  theme: ThemeModel;
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLInputElement && target.type !== 'range' && target.type !== 'button';

export function FleetApp({ model, theme }: Props) {
  const [keys, setKeys] = useState(false);
  const filter = useRef<HTMLInputElement>(null);
  const fleet = model.newest.value;
  const act = (command: FleetCommand): void => {
    const does: Readonly<Record<FleetCommand, () => void>> = {
      next: () => model.move(1),
      previous: () => model.move(-1),
      filter: () => filter.current?.select(),
      earlier: () => model.step(-1),
      later: () => model.step(1),
      now: () => model.look(undefined),
      theme: () => model.say(`colours: ${theme.next()}`),
      keys: () => setKeys(open => !open),
      escape: () => {
        model.find.value = '';
        filter.current?.blur();
      },
    };
    does[command]();
  };
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || document.querySelector('dialog[open]')) return;
      const command = commandOf<FleetCommand>(FLEET_KEYS, event, isTyping(event.target));
      if (command === undefined) return;
      event.preventDefault();
      act(command);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [model, theme]);
  const unproven = model.unprovenNow.value;
  const stale = model.stale.value;
  useEffect(() => {
    document.title = `${!fleet ? '' : stale ? 'STALE ' : unproven > 0 ? `${unproven} UNPROVEN ` : ''}Fleet · Syndrome`;
  }, [fleet === undefined, stale, unproven]);
  return (
    <>
      <header class="top">
        {fleetMasthead().map(elementOf)}
        <span class="spring" />
        <button type="button" class="button" aria-label={`Colours: ${theme.theme.value}`} onClick={() => act('theme')}>
          {theme.theme.value}
        </button>
        <button type="button" class="button button-icon" aria-label="Keys" onClick={() => setKeys(true)}>
          ?
        </button>
      </header>
      {model.trouble.value && (
        <p class="note note-problem" role="alert">
          <b>{model.trouble.value.message}</b> {model.trouble.value.hint}{' '}
          <button type="button" class="link" onClick={() => (model.trouble.value = undefined)}>
            close
          </button>
        </p>
      )}
      {fleet ? <Fleet model={model} theme={theme} filter={filter} /> : <Door model={model} />}
      {keys && <KeysDialog rows={FLEET_KEYS} page="fleet" onClose={() => setKeys(false)} />}
      <p class="sr" role="status">
        {model.said.value}
      </p>
    </>
  );
}

/** Where a token is asked for. It is kept in this page alone, and is gone with it. */
function Door({ model }: { model: FleetModel }) {
  const box = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => box.current?.focus(), []);
  const enter = async (): Promise<void> => {
    setBusy(true);
    await model.enter(box.current?.value ?? '');
    setBusy(false);
  };
  return (
    <main class="empty">
      <h1>The fleet of this controller</h1>
      <p>
        It is shown to whoever has a token of the site. <code>syndrome api token NAME</code> makes one; the page keeps
        it until it is closed or loaded again, and sends it to this controller only.
      </p>
      <form
        class="actions"
        onSubmit={event => {
          event.preventDefault();
          void enter();
        }}
      >
        <input ref={box} class="filter token" type="password" aria-label="Token" autocomplete="off" />
        <button type="submit" class="button button-main" disabled={busy}>
          {busy ? 'asking …' : 'show'}
        </button>
      </form>
    </main>
  );
}

/** Whether what is shown is still so. A stream may be live while the fleet itself cannot be asked for. */
function Staleness({ model }: { model: FleetModel }) {
  const behind = model.behind.value;
  const stream = model.stream.value;
  if (!behind || isStale(stream)) return <StreamWords stream={stream} lost="load the page again, and enter a token" />;
  return (
    <b class="stale-words" role="status">
      stale: {behind.message}. {behind.hint}
    </b>
  );
}

function Fleet({ model, theme, filter }: Props & { filter: { current: HTMLInputElement | null } }) {
  const fleet = model.shown.value;
  const newest = model.newest.value;
  if (!newest) return null;
  const past = model.at.value !== undefined;
  const { message: untold, hint = '' } = model.untold.value ?? {};
  const squares = fleet ? hostSquares(fleet) : [];
  const rows = model.rows.value;
  const unproven = model.unproven.value;
  const at = model.at.value ?? newest.inputs;
  const more = fleet ? leftOut(fleet) : 0;
  return (
    <main class={`fleet ${model.stale.value ? 'is-stale' : ''} ${past ? 'is-past' : ''}`}>
      <h1 class="sr">Fleet</h1>
      <section class="fleet-sum" aria-label="At one glance">
        {fleet && <span class="badge">{modeWords(fleet)}</span>}
        {unproven !== undefined && <b class={unproven > 0 ? 'fleet-bad' : ''}>{unproven} unproven</b>}
        {!fleet && <b>{untold === undefined ? `reading input ${at} …` : `input ${at} is not shown`}</b>}
        {fleet && (
          <span>
            {fleet.openIncidents} open · {fleet.poisoned} poisoned pages · {fleet.vms} VMs
          </span>
        )}
        <span class="spring" />
        <Staleness model={model} />
      </section>
      <section class="fleet-time" aria-label="Time">
        <label for="input">{past ? 'as known then' : 'now'}</label>
        <input
          id="input"
          type="range"
          min={0}
          max={newest.inputs}
          value={at}
          aria-valuetext={`input ${at} of ${newest.inputs}`}
          onInput={event => model.look(Number(event.currentTarget.value))}
        />
        <span class="fleet-at">
          input {at} of {newest.inputs}
          {fleet && fleet.now > 0 && ` · ${new Date(fleet.now).toISOString().slice(0, 19).replace('T', ' ')} UTC`}
        </span>
        <button type="button" class="button" disabled={!past} onClick={() => model.look(undefined)}>
          now <kbd>n</kbd>
        </button>
      </section>
      <div class="fleet-panes">
        <section class="pane" aria-label="What needs a look">
          <div class="pane-head">
            <input
              ref={filter}
              type="search"
              class="filter"
              aria-label="Filter what is wrong"
              placeholder="filter: VM, host, cause  /"
              value={model.find.value}
              onInput={event => (model.find.value = event.currentTarget.value)}
            />
            <span class="muted count">{rows.length}</span>
          </div>
          {rows.length > 0 ? (
            <VirtualList
              id="wrong"
              label="What needs a look, the worst first"
              count={rows.length}
              rowHeight={ROW}
              active={model.position.value}
              onChoose={position => model.chooseAt(position)}
              onStep={step => model.move(step)}
              rowClass={position => `file-row fleet-${rows[position]?.kind ?? ''}`}
              row={position => {
                const row = rows[position];
                return (
                  row && (
                    <>
                      <span class="fleet-mark" aria-hidden="true">
                        {row.mark}
                      </span>
                      <span class="cell-text">
                        <b>{row.title}</b>
                        <span class="muted cell-name">{row.about}</span>
                      </span>
                      <span class="muted cell-age">{row.age === '' ? '' : `${row.age} ago`}</span>
                    </>
                  )
                );
              }}
            />
          ) : (
            <p class="nothing" role={untold === undefined ? undefined : 'alert'}>
              {untold !== undefined
                ? `What was known at input ${at} is not shown: ${untold}. ${hint}`
                : !fleet
                  ? `reading input ${at} …`
                  : model.find.value === ''
                    ? 'Nothing that is known needs a look.'
                    : `Nothing holds “${safeText(model.find.value, 60)}”.`}
            </p>
          )}
          {more > 0 && <p class="muted fleet-more">{more} more open incidents, none of them worse than these</p>}
        </section>
        <Details model={model} theme={theme} />
      </div>
      <section class="fleet-hosts" aria-label="Hosts">
        <h2>
          Hosts <span class="muted">{hostCounts(squares)}</span>
        </h2>
        <ul class="plain squares">
          {squares.slice(0, 2000).map(({ id, state, mark, words }) => (
            <li key={id} class={`square square-${state}`} title={`${id}: ${words}`}>
              <span aria-hidden="true">{mark}</span> {id} <span class="sr">{words}</span>
            </li>
          ))}
        </ul>
        {squares.length > 2000 && (
          <p class="muted">{squares.length - 2000} more hosts, none of them worse than these</p>
        )}
      </section>
    </main>
  );
}
