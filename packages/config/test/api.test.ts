import { expect, test } from 'vitest';
import { accept, refusals, warnings } from './corpus.ts';

const WORKERS = 'workers: [{id: a, command: x}]\n';

function api(text: string) {
  return accept(`api: ${text}\n${WORKERS}`).api;
}

test('without it there is none', () => {
  expect(accept(WORKERS).api).toBeNull();
});

test.each([
  ['127.0.0.1:7400', { host: '127.0.0.1', port: 7400 }],
  ['7400', { host: '127.0.0.1', port: 7400 }],
  ['":7400"', { host: '127.0.0.1', port: 7400 }],
  ['"[::1]:0"', { host: '::1', port: 0 }],
  ['localhost:7400', { host: 'localhost', port: 7400 }],
])('listen: %s is this machine alone', (text, address) => {
  expect(api(`{listen: ${text}}`)).toEqual({
    listen: address,
    tls: null,
    allowedHosts: [],
    allowedOrigins: [],
    rateLimit: 100,
  });
});

test('all keys, with paths from the folder of the file', () => {
  const text = `
  listen: "*:7400"
  tls: {cert: a.crt, key: /k/a.key, client_ca: ../ca.crt}
  allowed_hosts: [ops.example.com, "*.internal"]
  allowed_origins: [https://ops.example.com]
  rate_limit: 5`;
  const read = api(text);
  expect(read).toMatchObject({
    listen: { host: '::', port: 7400 },
    tls: { key: '/k/a.key' },
    allowedHosts: ['ops.example.com', '*.internal'],
    allowedOrigins: ['https://ops.example.com'],
    rateLimit: 5,
  });
  expect(read?.tls?.cert).toMatch(/^\/.*\/a\.crt$/);
});

test('plain text for others is an error with a next step, a warning where it is asked for', () => {
  expect(refusals(`api: {listen: 0.0.0.0:7400}\n${WORKERS}`)).toEqual([
    expect.stringMatching(
      /^1:\d+ api\.listen: tokens would go over the network as plain text, .*api\.allow_plaintext\)$/,
    ),
  ]);
  expect(warnings(`api: {listen: 0.0.0.0:7400, allow_plaintext: true}\n${WORKERS}`)).toEqual([
    expect.stringContaining('tokens would go over the network as plain text'),
  ]);
});

test('what is none of it is refused', () => {
  expect(
    refusals(`api:
  listen: nowhere
  allowed_hosts: ["http://a"]
  allowed_origins: [example.com]
  tls: {cert: a.crt}
  port: 1
${WORKERS}`),
  ).toEqual([
    expect.stringContaining('api.listen: "nowhere" is not an address with a port'),
    expect.stringContaining('api.allowed_hosts[0]: "http://a" is not the name of a host'),
    expect.stringContaining('api.allowed_origins[0]: "example.com" is not an origin'),
    expect.stringContaining('api.tls'),
    expect.stringContaining('write listen: 127.0.0.1:PORT'),
  ]);
});
