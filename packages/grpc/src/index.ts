export { openGrpc } from './grpc.ts';
