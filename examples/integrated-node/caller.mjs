// Calls the greeter once a second. Where that listens is in its port file.
import { readFileSync } from 'node:fs';
import grpc from '@grpc/grpc-js';
import { greeting } from './greeting.mjs';

const port = readFileSync(process.argv[2], 'utf8').trim();
const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
const { path, requestSerialize, responseDeserialize } = greeting.Greet;
let count = 0;

setInterval(() => {
  count += 1;
  client.makeUnaryRequest(path, requestSerialize, responseDeserialize, `number ${count}`, (error, answer) => {
    console.log(error ? error.message : answer);
  });
}, 1000);
