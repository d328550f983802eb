/** The table of codes, and the shape of everything a user sees as an error (§4; C1, C2, S19). */

import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  BusinessError,
  businessError,
  clientErrorEvent,
  connectErrorName,
  type ErrorName,
  errorTable,
  failureError,
  listenerError,
  parameterError,
  serverErrorEvent,
  startErrorName,
} from '../../lib/errors.js';
import { documented, netstack } from '../../lib/profile.js';
import type { EngineFailure, FailureKind } from '../../lib/transport.js';

const names = Object.keys(errorTable) as ErrorName[];

const failure: EngineFailure = {
  kind: 'network',
  phase: 'tls',
  errno: 'ECONNRESET',
  detail: 'certificate has expired',
};

describe('the table', () => {
  it('has the codes and texts of the platform', () => {
    const rows = Object.values(errorTable).map(({ code, text }) => [code, text]);
    expect(rows).toEqual([
      [-1, 'Websocket connect failed'],
      [-1, 'Websocket Unknown Other Error'],
      [201, 'Permission denied'],
      [401, 'Parameter error'],
      [2302001, 'Websocket url error'],
      [2302002, 'Websocket certificate file does not exist'],
      [2302003, 'Websocket connection already exist'],
      [2302004, "Can't listen to the given NIC"],
      [2302005, "Can't listen to the given Port"],
      [2302006, 'websocket connection does not exist'],
      [2302007, 'Websocket port already occupied'],
      [2302998, 'It is not allowed to access this domain'],
      [2302999, 'Websocket Unknown Other Error'],
    ]);
  });

  it.each(names)('makes %s', (name) => {
    const { code, text } = errorTable[name];
    expect(businessError(name)).toMatchObject({ code, message: text });
  });
});

describe('a BusinessError', () => {
  const error = failureError('other', failure);

  it('shows code and message in JSON, in this order, and nothing else', () => {
    expect(JSON.stringify(error)).toBe(
      '{"code":2302999,"message":"Websocket Unknown Other Error"}',
    );
    expect(Object.keys(error)).toEqual(['code', 'message']);
  });

  it('is an Error with a name, a stack of the caller and a cause', () => {
    expect(error).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(BusinessError);
    expect(String(error)).toBe('BusinessError: Websocket Unknown Other Error');
    expect(error.stack).toMatch(/^BusinessError: Websocket Unknown Other Error\n\s+at /);
    expect(error.cause).toEqual({
      phase: 'tls',
      errno: 'ECONNRESET',
      detail: 'certificate has expired',
    });
    expect(inspect(error)).toContain('certificate has expired');
  });

  it('says which argument was wrong', () => {
    const cause = { phase: 'arguments', errno: '', detail: 'expected a, received b' };
    expect(parameterError('expected a, received b')).toMatchObject({ code: 401, cause });
  });

  it('of on and off has the code that the profile asks for', () => {
    expect(listenerError(401, '').code).toBe(401);
    expect(Object.keys(listenerError('401', ''))).toEqual(['code', 'message']);
    expect(listenerError('401', '').code).toBe('401');
  });
});

describe('a failure of the engine', () => {
  it.each<[FailureKind, ErrorName, ErrorName, ErrorName]>([
    ['config', 'other', 'other', 'other'],
    ['file', 'fileMissing', 'fileMissing', 'fileMissing'],
    ['key', 'other', 'other', 'other'],
    ['addressInUse', 'portOccupied', 'portOccupied', 'portOccupied'],
    ['permission', 'portOccupied', 'portOccupied', 'portOccupied'],
    ['addressNotLocal', 'badAddress', 'badAddress', 'portOccupied'],
    ['network', 'connectFailed', 'portOccupied', 'portOccupied'],
  ])(
    'of kind %s is %s of connect and %s of start, in netstack %s',
    (kind, connect, start, bare) => {
      expect(connectErrorName({ ...failure, kind })).toBe(connect);
      expect(startErrorName({ ...failure, kind }, documented)).toBe(start);
      expect(startErrorName({ ...failure, kind }, netstack)).toBe(bare);
    },
  );
});

describe('the value of an error event', () => {
  const cause = { phase: 'handshake', errno: '', detail: 'not upgraded' } as const;

  it('of a client has code, data and a message that says what happened', () => {
    const event = clientErrorEvent(404, cause, documented);
    expect({ ...event }).toEqual({
      code: 200,
      data: '404',
      message: 'handshake: HTTP status 404, not upgraded',
    });
    expect(event.cause).toBe(cause);
    expect(event.name).toBe('BusinessError');
  });

  it('of a client says 0 where there was no answer', () => {
    const event = clientErrorEvent(0, { ...failure }, documented);
    expect(event.data).toBe('0');
    expect(event.message).toBe('tls: ECONNRESET certificate has expired');
    const silent = { phase: 'tls', errno: '', detail: '' } as const;
    expect(clientErrorEvent(0, silent, documented).message).toBe('tls: failed');
  });

  it('of a server is an Error with code 200', () => {
    const event = serverErrorEvent('refused', cause, documented);
    expect(event).toBeInstanceOf(BusinessError);
    expect({ ...event }).toEqual({ code: 200, message: 'refused' });
  });

  it('shows in netstack only what it shows there', () => {
    expect({ ...clientErrorEvent(404, cause, netstack) }).toEqual({ code: 200, data: '404' });
    const event = serverErrorEvent('refused', cause, netstack);
    expect({ ...event }).toEqual({ code: 200 });
    expect(event).not.toBeInstanceOf(Error);
    expect(event.message).toBe('refused');
  });
});
