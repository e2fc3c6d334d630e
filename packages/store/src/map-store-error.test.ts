import { parseError } from '@clickhouse/client';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ChdbTransport } from './chdb-transport.ts';
import { DENIALS, PASSING_EXCEPTIONS, SETTING_REFUSALS } from './click-house-exceptions.ts';
import { jsonRows } from './json-rows.ts';
import { exceptionName, HttpAnswerError, isBrokenConnection, mapStoreError } from './map-store-error.ts';
import type { StoreErrorCode } from './store-error.ts';

const EXCEPTIONS: readonly [number: number, name: string, code: StoreErrorCode, why: string][] = [
  [33, 'CANNOT_READ_ALL_DATA', 'rejected', 'rows that are no rows'],
  [57, 'TABLE_ALREADY_EXISTS', 'unavailable', 'only a race of two migrations gets it'],
  [60, 'UNKNOWN_TABLE', 'rejected', 'somebody dropped a table'],
  [62, 'SYNTAX_ERROR', 'rejected', 'the statement is wrong'],
  [81, 'UNKNOWN_DATABASE', 'rejected', 'somebody dropped the database'],
  [115, 'UNKNOWN_SETTING', 'rejected', 'the server is too old'],
  [159, 'TIMEOUT_EXCEEDED', 'unavailable', 'it was slow this time'],
  [164, 'READONLY', 'denied', 'the profile of the user, not the table'],
  [192, 'UNKNOWN_USER', 'denied', 'a user who is away may come back'],
  [194, 'REQUIRED_PASSWORD', 'denied', 'a password was added'],
  [201, 'QUOTA_EXCEEDED', 'unavailable', 'the interval of the quota ends'],
  [202, 'TOO_MANY_SIMULTANEOUS_QUERIES', 'unavailable', 'busy'],
  [209, 'SOCKET_TIMEOUT', 'unavailable', 'the body came too slowly'],
  [210, 'NETWORK_ERROR', 'unavailable', 'cut off'],
  [225, 'NO_ZOOKEEPER', 'unavailable', 'Keeper is away'],
  [236, 'ABORTED', 'unavailable', 'it shuts down'],
  [241, 'MEMORY_LIMIT_EXCEEDED', 'unavailable', 'memory of others is freed'],
  [242, 'TABLE_IS_READ_ONLY', 'unavailable', 'a replica without Keeper'],
  [243, 'NOT_ENOUGH_SPACE', 'unavailable', 'space is freed'],
  [252, 'TOO_MANY_PARTS', 'unavailable', 'merges catch up'],
  [253, 'REPLICA_ALREADY_EXISTS', 'unavailable', 'only a race of two migrations gets it'],
  [254, 'NO_ACTIVE_REPLICAS', 'unavailable', 'replicas come back'],
  [279, 'ALL_CONNECTION_TRIES_FAILED', 'unavailable', 'peers come back'],
  [285, 'TOO_FEW_LIVE_REPLICAS', 'unavailable', 'no quorum now'],
  [286, 'UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE', 'unavailable', 'another insert is under way'],
  [289, 'REPLICA_IS_NOT_IN_QUORUM', 'unavailable', 'this replica lags'],
  [319, 'UNKNOWN_STATUS_OF_INSERT', 'unavailable', 'to repeat is safe'],
  [394, 'QUERY_WAS_CANCELLED', 'unavailable', 'an operator ended it'],
  [396, 'TOO_MANY_ROWS_OR_BYTES', 'rejected', 'the replay asks for a shorter page'],
  [425, 'SYSTEM_ERROR', 'unavailable', 'its system failed it'],
  [439, 'CANNOT_SCHEDULE_TASK', 'unavailable', 'out of threads'],
  [452, 'SETTING_CONSTRAINT_VIOLATION', 'rejected', 'the settings are wrong'],
  [497, 'ACCESS_DENIED', 'denied', 'a grant was taken away'],
  [516, 'AUTHENTICATION_FAILED', 'denied', 'a password was rotated'],
  [517, 'CANNOT_ASSIGN_ALTER', 'unavailable', 'another process changes the table'],
  [745, 'SERVER_OVERLOADED', 'unavailable', 'busy'],
  [999, 'KEEPER_EXCEPTION', 'unavailable', 'a session with Keeper ended'],
];

it.each(EXCEPTIONS)('exception %i %s is %s: %s', (number, name, code) => {
  const error = mapStoreError(parseError(`Code: ${number}. DB::Exception: Something. (${name}) (version 26.7)`));
  expect(error).toMatchObject({ code, retriable: code !== 'rejected', message: `${name}: Something.` });
  expect(exceptionName(error)).toBe(name);
});

it('names only exceptions that ClickHouse has, none in two lists', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'touchstone-names-'));
  const transport = await ChdbTransport.open(directory);
  try {
    const rows = await transport.read('SELECT number, errorCodeToName(number) AS name FROM numbers(2000) FORMAT JSONEachRow');
    const numberOf = new Map(jsonRows<{ number: number | string; name: string }>(rows).map(({ number, name }) => [name, Number(number)]));
    const unknown = [...PASSING_EXCEPTIONS, ...DENIALS, ...SETTING_REFUSALS].filter((name) => !numberOf.has(name));
    expect(unknown).toEqual([]);
    expect(EXCEPTIONS.map(([, name]) => numberOf.get(name))).toEqual(EXCEPTIONS.map(([number]) => number));
    expect([...DENIALS].filter((name) => PASSING_EXCEPTIONS.has(name))).toEqual([]);
  } finally {
    await transport.close();
    rmSync(directory, { recursive: true });
  }
});

const nodeError = (code: string, message = code) => Object.assign(new Error(message), { code });

it.each<[what: string, error: Error, code: StoreErrorCode]>([
  ['a gateway without its server', new HttpAnswerError(502, '<html>'), 'unavailable'],
  ['a gateway that asks to come again', new HttpAnswerError(429, ''), 'unavailable'],
  ['a gateway with a password of its own', new HttpAnswerError(401, ''), 'denied'],
  ['a page that is not there', new HttpAnswerError(404, ''), 'rejected'],
  ['a redirect', new HttpAnswerError(301, ''), 'rejected'],
  ['nobody at the port', nodeError('ECONNREFUSED'), 'unavailable'],
  ['a name that does not resolve', nodeError('ENOTFOUND'), 'unavailable'],
  ['a certificate that nobody signed', nodeError('DEPTH_ZERO_SELF_SIGNED_CERT'), 'denied'],
  ['a certificate of another name', nodeError('ERR_TLS_CERT_ALTNAME_INVALID'), 'denied'],
  ['a certificate that is over', nodeError('CERT_HAS_EXPIRED'), 'denied'],
  ['no TLS at the other end', nodeError('EPROTO', 'wrong version number'), 'denied'],
  ['a value that can not be bound', new TypeError('unsupported value'), 'rejected'],
])('%s', (_, error, code) => {
  expect(mapStoreError(error)).toMatchObject({ name: 'StoreError', code });
});

it.each<[what: string, error: unknown, expected: boolean]>([
  ['a reset', nodeError('ECONNRESET'), true],
  ['a write to a closed socket', nodeError('EPIPE'), true],
  ['a hang-up', new Error('socket hang up'), true],
  ['a refused connection', nodeError('ECONNREFUSED'), false],
  ['an exception', parseError('Code: 210. DB::Exception: x. (NETWORK_ERROR)'), false],
])('%s is a broken connection: %s', (_, error, expected) => {
  expect(isBrokenConnection(error)).toBe(expected);
});
