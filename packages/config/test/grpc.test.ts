import { expect, test } from 'vitest';
import { accept, refusals, warnings } from './corpus.ts';

const WORKERS = 'workers: [{id: a, command: x}]\n';

test('without master.port there is none', () => {
  expect(accept(WORKERS).grpc).toBeNull();
  expect(accept(`master: {on_master_exit: leave}\n${WORKERS}`).grpc).toBeNull();
  expect(warnings(`master: {grpc: {open_status: true}}\n${WORKERS}`)).toEqual([
    expect.stringContaining('without master.port the master does not answer gRPC'),
  ]);
});

test('a port alone is this machine alone, as in the original', () => {
  const text = `master: {port: 50055}\n${WORKERS}`;
  expect(accept(text).grpc).toEqual({
    host: '127.0.0.1',
    port: 50_055,
    tls: null,
    openStatus: false,
    rateLimit: 100,
  });
  expect(warnings(text)).toEqual([]);
});

test('it has certificates and rate of the API, also where that is not opened', () => {
  const text = `
master: {port: 1234, grpc: {host: "*", open_status: true}}
api: {tls: {cert: /k/a.crt, key: /k/a.key}, rate_limit: 5}
${WORKERS}`;
  const { grpc, api } = accept(text);
  expect(api).toBeNull();
  expect(grpc).toEqual({
    host: '::',
    port: 1234,
    tls: { cert: '/k/a.crt', key: '/k/a.key', clientCa: null },
    openStatus: true,
    rateLimit: 5,
  });
  expect(warnings(text)).toEqual([]);
});

test('plain text for others is an error with a next step, a warning where it is asked for', () => {
  const master = 'master: {port: 1234, grpc: {host: 0.0.0.0}}\n';
  expect(refusals(`${master}${WORKERS}`)).toEqual([
    expect.stringMatching(/^1:\d+ master\.grpc\.host: tokens would go over the network as plain text/),
  ]);
  expect(warnings(`${master}api: {allow_plaintext: true}\n${WORKERS}`)).toEqual([
    expect.stringContaining('tokens would go over the network as plain text'),
  ]);
});

test('what is none of it is refused', () => {
  expect(refusals(`master: {port: -1, grpc: {port: 5, host: ""}}\n${WORKERS}`)).toHaveLength(3);
});
