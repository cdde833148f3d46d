/** @module The tables of a controller, in SQL that every engine of the store speaks. */
import { LEASE_TABLE } from '@syndrome/base/store/lease.ts';
import type { Migration } from '@syndrome/base/store/migrate.ts';

export const SCHEMA: readonly Migration[] = [
  {
    number: 1,
    name: 'inputs, decisions, acts, outbox',
    statements: [
      ...LEASE_TABLE,
      // Everything that the core was told, in its order. Never changed, never deleted.
      `create table input(
         seq bigint primary key, at bigint not null, kind text not null,
         host text, spool text, "row" bigint, body text not null,
         unique (host, spool, "row"))`,
      // Up to which row everything of a spool is in it.
      'create table spool(host text not null, name text not null, upto bigint not null, primary key (host, name))',
      // How many decisions there are after an input, and their hash: what a replay has to come to.
      'create table mark(seq bigint primary key, decisions bigint not null, hash text not null)',
      'create table snapshot(seq bigint primary key, at bigint not null, body text not null)',
      `create table decision(
         number bigint primary key, seq bigint not null, incident text, host text, vm text, body text not null)`,
      'create index decision_incident on decision(incident)',
      `create table act(
         id text primary key, seq bigint not null, host text not null, vm text, incident text not null,
         kind text not null, state text not null, reason text, body text not null)`,
      'create index act_state on act(state)',
      'create index act_incident on act(incident)',
      `create table outbox(
         id text not null, target text not null, seq bigint not null, incident text, state text not null,
         attempts bigint not null, due bigint not null, done bigint, error text, body text not null,
         primary key (id, target))`,
      'create index outbox_due on outbox(state, target, due)',
      'create index outbox_incident on outbox(incident)',
    ],
  },
  {
    number: 2,
    name: 'audit, attestations of two people, answers to those who ask again',
    statements: [
      // A chain: `hash` is of the entry and of the one before. Never changed, never deleted.
      `create table audit(
         number bigint primary key, at bigint not null, seq bigint, actor text not null, via text not null,
         action text not null, outcome text not null, body text not null, hash text not null)`,
      'create index audit_seq on audit(seq)',
      `create table attestation(
         number bigint primary key, id text not null unique, at bigint not null, until bigint not null, vm text not null,
         host text not null, epoch bigint not null, statement text not null, actor text not null, state text not null,
         confirmed_by text, confirmation text)`,
      `create table answer(
         actor text not null, key text not null, request text not null, at bigint not null, status bigint not null,
         body text not null, primary key (actor, key))`,
      'create index answer_at on answer(at)',
    ],
  },
];
