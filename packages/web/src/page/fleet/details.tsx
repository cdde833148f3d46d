/** @module What is known of the incident that is chosen: when, what was decided on which facts, what was done, which pages. */
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { Explanation, Fleet } from '@syndrome/supervisor/client/types.ts';
import type { ThemeModel } from '../theme.ts';
import { IncidentLanes } from './incident-lanes.tsx';
import type { FleetModel } from './model.ts';

const clock = (at: number): string => new Date(at).toISOString().slice(11, 19);

export function Details({ model, theme }: { model: FleetModel; theme: ThemeModel }) {
  const row = model.row;
  const explained = model.explained.value;
  const fleet = model.shown.value;
  const past = model.at.value;
  return (
    <section class="pane" aria-label="Details">
      <div class="pane-head">
        <h2>{row ? row.title : 'Nothing is chosen'}</h2>
        {past !== undefined && row && <span class="muted">the incident as it is known now</span>}
      </div>
      {/* It scrolls: a keyboard has to reach it. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls has to be reached by keys */}
      <div class="pane-body fleet-details" tabIndex={0} role="group" aria-label="What is known of it">
        {row && <p>{row.about}</p>}
        {row?.incident !== undefined && !explained && <p class="muted">asking …</p>}
        {explained && <Incident explained={explained} fleet={fleet} theme={theme} />}
        <Decisions model={model} />
      </div>
    </section>
  );
}

function Incident({
  explained,
  fleet,
  theme,
}: {
  explained: Explanation;
  fleet: Fleet | undefined;
  theme: ThemeModel;
}) {
  const { incident, decisions, acts } = explained;
  const host = 'host' in incident ? incident.host : undefined;
  const pages = fleet?.pages.filter(page => page.host === host) ?? [];
  const all = fleet?.hosts.find(({ id }) => id === host)?.pages ?? 0;
  return (
    <>
      <IncidentLanes explained={explained} theme={theme} />
      <h3>Decided</h3>
      <table class="fleet-table">
        <thead>
          <tr>
            <th scope="col">UTC</th>
            <th scope="col">does</th>
            <th scope="col">rule</th>
            <th scope="col">why</th>
          </tr>
        </thead>
        <tbody>
          {decisions.map(({ at, rule, rung, why, inputs }, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: they stand in the order of the ledger, and none goes
            <tr key={i}>
              <td class="mono">{clock(at)}</td>
              <td>{safeText(rung, 60)}</td>
              <td class="mono">{safeText(rule, 80)}</td>
              <td>
                {safeText(why, 400)}
                <span class="muted cell-name">
                  {safeText(
                    Object.entries(inputs)
                      .map(([name, value]) => `${name} ${String(value)}`)
                      .join(' · '),
                    400,
                  )}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {acts.length > 0 && (
        <>
          <h3>Done</h3>
          <ul class="plain">
            {acts.map(({ id, kind, host: on, vm, epoch, state, reason }) => (
              <li key={id}>
                <b>{state}</b> {safeText(`${kind} ${vm ?? ''} on ${on}, epoch ${epoch}`, 200)}{' '}
                <span class="muted">{safeText(reason ?? '', 300)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
      {all > 0 && (
        <>
          <h3>
            Poisoned pages of {safeText(host ?? '', 80)}
            {pages.length < all && (
              <span class="muted">
                {' '}
                {pages.length} of {all}: of the fleet the 500 that were met last are here, GET v1/pages has all
              </span>
            )}
          </h3>
          <ul class="plain mono">
            {pages.map(({ key, vms, hits, applied, repaired }) => (
              <li key={key}>
                {safeText(key, 80)} · {safeText(vms.join(', '), 160)} · {hits} {hits === 1 ? 'witness' : 'witnesses'} ·{' '}
                {repaired ? 'memory replaced' : applied ? 'out of use' : 'not known to be out of use'}
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function Decisions({ model }: { model: FleetModel }) {
  const decisions = model.decisions.value;
  if (decisions.length === 0) return null;
  return (
    <>
      <h3>Decided last, in the whole fleet</h3>
      <ol class="fleet-decisions">
        {decisions.slice(0, 50).map(({ number, at, rung, rule, why }) => (
          <li key={number} value={number}>
            <span class="mono">{clock(at)}</span> <b>{safeText(rung, 60)}</b> {safeText(why, 300)}{' '}
            <span class="muted">{safeText(rule, 80)}</span>
          </li>
        ))}
      </ol>
    </>
  );
}
