// A service of the example’s own. Usually this comes of a proto file, by way of @grpc/proto-loader.
const read = (bytes) => bytes.toString('utf8');
const write = (text) => Buffer.from(text);

export const greeting = {
  Greet: {
    path: '/example.Greeting/Greet',
    requestStream: false,
    responseStream: false,
    requestSerialize: write,
    requestDeserialize: read,
    responseSerialize: write,
    responseDeserialize: read,
  },
};
