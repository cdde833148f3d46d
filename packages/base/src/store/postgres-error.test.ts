import { expect, test } from 'vitest';
import { isAnswer, isConflict, postgresError } from './postgres-error.ts';

const said = (code: string): Error => Object.assign(new Error('said'), { code, severity: 'ERROR' });

test.each([
  ['40001', 'E_STORE_BUSY'],
  ['40P01', 'E_STORE_BUSY'],
  ['55P03', 'E_STORE_BUSY'],
  ['57014', 'E_STORE_BUSY'],
  ['53300', 'E_STORE_BUSY'],
  ['53100', 'E_STORE_FULL'],
  ['57P01', 'E_STORE_LOST'],
  ['57P03', 'E_STORE_LOST'],
  ['25006', 'E_STORE_LOST'],
  ['25P03', 'E_STORE_LOST'],
  ['08006', 'E_STORE_LOST'],
  ['28P01', 'E_STORE_OPEN'],
  ['3D000', 'E_STORE_OPEN'],
  ['42501', 'E_STORE_OPEN'],
  ['58030', 'E_STORE_IO'],
  ['XX001', 'E_STORE_DAMAGED'],
  ['23505', 'E_STORE_SQL'],
  ['42601', 'E_STORE_SQL'],
])('%s of PostgreSQL is %s', (state, code) => {
  expect(postgresError(said(state), 'select 1')).toMatchObject({ code, message: 'select 1: said' });
});

test('what the server has answered is told from what is not known', () => {
  expect(['40001', '57014', '53100', '23505'].map(code => isAnswer(said(code)))).toEqual([true, true, true, true]);
  expect(['57P01', '08006', '25006'].map(code => isAnswer(said(code)))).toEqual([false, false, false]);
  const gone = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  expect([isAnswer(gone), isConflict(gone), isConflict(said('40P01'))]).toEqual([false, false, true]);
  expect(postgresError(gone, 'commit').code).toBe('E_STORE_LOST');
});
