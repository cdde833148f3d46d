import { describe, expect, test } from 'vitest';
import { isStoreUrl, parsePostgresUrl } from './postgres-url.ts';

describe('the URL of a PostgreSQL', () => {
  test.each<[string, string, object]>([
    ['postgresql://syndrome@db1/ledger', 'PostgreSQL syndrome@db1:5432/ledger', { tls: {}, open: false }],
    ['postgres://a%40b@db1:6000,[2001:db8::1]/x', 'PostgreSQL a@b@db1:6000,[2001:db8::1]:5432/x', { user: 'a@b' }],
    ['postgresql://u@db1,db2:7000/x?port=6000', 'PostgreSQL u@db1:6000,db2:7000/x', {}],
    ['postgresql://u@/x?host=/run/pg', 'PostgreSQL u@/run/pg/x', { tls: undefined }],
    ['postgresql://u@%2Frun%2Fpg/x', 'PostgreSQL u@/run/pg/x', { hosts: [{ host: '/run/pg', port: 5432 }] }],
    ['postgresql://u@/x', 'PostgreSQL u@/var/run/postgresql/x', {}],
    ['postgresql://u@localhost', 'PostgreSQL u@localhost:5432/u', { tls: undefined, open: false }],
    ['postgresql://u@db/x?sslmode=disable', 'PostgreSQL u@db:5432/x', { tls: undefined, open: true }],
    [
      'postgresql://u@localhost/x?sslmode=verify-full&sslrootcert=/ca&sslcert=/c&sslkey=/k&target_session_attrs=read-write',
      'PostgreSQL u@localhost:5432/x',
      { tls: { ca: '/ca', cert: '/c', key: '/k' } },
    ],
  ])('%s', (url, label, more) => {
    expect(parsePostgresUrl(url)).toMatchObject({ label, ...more });
  });

  test.each<[string, string]>([
    ['postgresql://u:secret@db/x', 'has a password in it'],
    ['postgresql://u:@db/x', 'has a password in it'],
    ['postgresql://u@db/x?password=secret', 'has a password in it'],
    ['postgresql://u@db/x?passfile=secret', 'has a password in it'],
    ['postgresql://u@db/x?sslmode=require', 'sslmode=require: it is verify-full'],
    ['postgresql://u@db/x?target_session_attrs=any', 'can be written to'],
    ['postgresql://u@db/x?options=-csearch_path%3Dsecret', 'its parameter options is unknown'],
    ['postgresql://u@db:0/x', '0 is no port'],
    ['postgresql://u@db:99999/x', '99999 is no port'],
    ['postgresql://u@a,b,c/x?port=1,2', 'another number of ports'],
    ['postgresql://u@a b/secret', 'has a blank'],
    ['postgresql://u@a/secret#x', 'has a blank, a #'],
    ['postgresql://u@a/%zz', 'two hex digits'],
    ['postgresql:secret', 'no such URL'],
    ['PostgreSQL://u:secret@db/x', 'has a password in it'],
    ['postgressql://u:secret@db/x', 'no such URL'],
    ['mysql://u:secret@db/x', 'no such URL'],
    [`postgresql://u@${Array.from({ length: 17 }, () => 'h').join(',')}/x`, 'more than 16 hosts'],
  ])('%s is refused, and its secret not repeated', (url, why) => {
    try {
      parsePostgresUrl(url);
    } catch (error) {
      expect(error).toMatchObject({ code: 'E_STORE_OPEN', message: expect.stringContaining(why) as unknown });
      expect(JSON.stringify([String(error), error])).not.toContain('secret');
      return;
    }
    expect.fail('it was taken');
  });

  test('is told from the path of a file', () => {
    const urls = ['postgresql://x', 'postgres://x', 'POSTGRESQL://x', 'mysql://x'];
    const files = ['/srv/postgresql:/x', 'ledger.sqlite', './mysql://x', 'C:/x'];
    expect([...urls, ...files].map(isStoreUrl)).toEqual([...urls.map(() => true), ...files.map(() => false)]);
  });
});
