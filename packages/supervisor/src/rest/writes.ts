/** @module The routes that order. Each goes the way of the command line: one input of the core, and what it decides. */
import { isRefused, type Beside } from '../controller/audit.ts';
import { attestationOf, attestationsPage, type Attestation, confirm, state } from '../controller/attestations.ts';
import type { Timeless } from '../controller/committer.ts';
import type { Desk } from '../controller/desk.ts';
import type { Effect } from '../core/input.ts';
import type { Notice } from '../core/notice.ts';
import { parsePolicy } from '../policy/check.ts';
import { z } from 'zod';
import { pageOfRead, placeOf } from './cursor.ts';
import { refuse } from './errors.ts';
import { policyShown } from './reads.ts';
import { name, ordered, orders, reads, type Reply, type Route } from './route.ts';
import { shown } from './schemas.ts';
import { isTagOf, tagOf, textOf } from './tag.ts';
import { problemOf } from '@syndrome/base/http/problem.ts';

const announced = ({ id, type, severity, at, summary }: Notice): object => ({ id, type, severity, at, summary });

/** What an order has come to, or would come to. */
function replyOf(effects: readonly Effect[], dryRun: boolean): Reply {
  const decisions = effects.flatMap(e => (e.effect === 'decision' ? [shown('Decision', e.decision)] : []));
  if (isRefused(effects)) {
    const why = decisions.map(d => d['why']).join(' ');
    return { status: 409, body: problemOf(refuse(409, 'E_API_REFUSED', why)) };
  }
  return {
    status: 200,
    body: {
      dryRun,
      decisions,
      acts: effects.flatMap(e => (e.effect === 'act' ? [shown('Act', { ...e.act, state: 'intent' })] : [])),
      notices: effects.flatMap(e => (e.effect === 'notice' ? [announced(e.notice)] : [])),
    },
  };
}

/** Has the core decide an input of a caller; with `dryRun` nothing is written. */
async function decided(
  desk: Desk,
  input: Timeless,
  dryRun: boolean,
  beside: Omit<Beside, 'via' | 'write'>,
  keep: (query: Desk['query'], reply: Reply) => Promise<void>,
): Promise<Reply> {
  if (dryRun) return replyOf(desk.wouldWant(input), true);
  const write: Beside['write'] = (query, effects) => keep(query, replyOf(effects, false));
  return replyOf(await desk.put([input], { ...beside, via: 'api', write }), false);
}

const dryRun = { dryRun: z.boolean().default(false).describe('say what would be decided, and change nothing') };
const attestationShown = (attestation: Attestation): Record<string, unknown> => shown('Attestation', attestation);

export const WRITES: readonly Route[] = [
  orders({
    method: 'POST',
    path: '/v1/orders',
    id: 'order',
    summary:
      'Order what `fleet` orders: pause, resume, drain, undrain, repaired, offline, restart, terminate, planned-stop, breaker-close, close',
    role: 'operator',
    query: dryRun,
    takes: 'Order',
    answer: 'Ordered',
    status: 200,
    what: 'what was decided',
    problems: { 409: 'the core refuses it, and says why' },
    run: ({ desk, caller, body, query, keep }) =>
      decided(desk, { input: 'order', by: caller.name, order: body }, query.dryRun, { actor: caller.name }, keep),
  }),
  orders({
    method: 'PUT',
    path: '/v1/policy',
    id: 'setPolicy',
    summary: 'Judge by another policy: the text of a policy file, checked as `fleet policy check` does',
    role: 'policy-admin',
    query: dryRun,
    takes: 'PolicyText',
    answer: 'Ordered',
    status: 200,
    what: 'what was decided',
    ifMatch: 'the ETag of the policy that is replaced, as GET has given it',
    problems: {
      409: 'the core refuses it, and says why',
      412: 'another policy is in force than If-Match names: look at it first',
      422: 'the text is no policy; or the key was used for another request',
      428: 'If-Match is missing',
    },
    run: ({ desk, caller, body, query, keep, ifMatch }) => {
      if (ifMatch === undefined)
        throw refuse(428, 'E_API_CHANGED', 'If-Match is missing: the ETag of the policy that is replaced');
      if (!isTagOf(tagOf(textOf(policyShown(desk))), ifMatch))
        throw refuse(412, 'E_API_CHANGED', 'another policy is in force than If-Match names');
      const policy = parsePolicy(body.policy, 'the policy');
      return decided(desk, { input: 'policy', by: caller.name, policy }, query.dryRun, { actor: caller.name }, keep);
    },
  }),
  reads({
    path: '/v1/attestations',
    id: 'listAttestations',
    summary: 'Statements that a copy of a VM has stopped: what one has stated waits for another',
    query: ordered,
    answer: 'AttestationPage',
    what: 'a page of attestations',
    run: async ({ desk, query }) => {
      const { limit, order } = query;
      const list = `attestations ${order}`;
      const [after] = query.after === undefined ? [] : placeOf(list, query.after, ['number']);
      const read = await attestationsPage(desk, {
        after: after as number | undefined,
        newestFirst: order === 'desc',
        limit: limit + 1,
      });
      const page = pageOfRead(list, read, limit, a => [a.number]);
      return { ...page, items: read.slice(0, limit).map(attestationShown) };
    },
  }),
  reads({
    path: '/v1/attestations/{attestation}',
    id: 'getAttestation',
    summary: 'An attestation',
    params: { attestation: name },
    answer: 'Attestation',
    what: 'the attestation',
    problems: { 404: 'there is none of this name' },
    run: async ({ desk, params }) => {
      const found = await attestationOf(desk, params.attestation);
      if (found === undefined) throw refuse(404, 'E_API_NONE', 'there is no attestation of this name');
      return attestationShown(found);
    },
  }),
  orders({
    method: 'POST',
    path: '/v1/attestations',
    id: 'attest',
    summary:
      'State that a copy of a VM has stopped, because you have seen it. Another fencer has to confirm it within an hour',
    role: 'fencer',
    takes: 'Statement',
    answer: 'Attestation',
    status: 201,
    what: 'what waits for another person',
    problems: { 409: 'the core would refuse it, and says why' },
    run: async ({ desk, caller, body, keep }) => {
      const reply = (attestation: Attestation): Reply => ({
        status: 201,
        body: attestationShown(attestation),
        headers: { Location: `/v1/attestations/${attestation.id}` },
      });
      const stated = await state(desk, caller.name, body, (query, { attestation }) => keep(query, reply(attestation)));
      return reply(stated);
    },
  }),
  orders({
    method: 'POST',
    path: '/v1/attestations/{attestation}/confirmation',
    id: 'confirmAttestation',
    summary: 'Confirm what another fencer has stated, because you have seen it, too',
    role: 'fencer',
    params: { attestation: name },
    takes: 'Confirmation',
    answer: 'Attestation',
    status: 200,
    what: 'the attestation, and whether the core takes it',
    problems: { 404: 'there is none of this name', 409: 'it is your own, or waits no more, or the core refuses it' },
    run: async ({ desk, caller, params, body, keep }) => {
      const reply = (attestation: Attestation, effects: readonly Effect[]): Reply =>
        attestation.state === 'refused'
          ? replyOf(effects, false)
          : { status: 200, body: attestationShown(attestation) };
      const given = { id: params.attestation, confirmation: body.statement };
      const { attestation, effects } = await confirm(desk, caller.name, given, (query, outcome) =>
        keep(query, reply(outcome.attestation, outcome.effects)),
      );
      return reply(attestation, effects);
    },
  }),
];
