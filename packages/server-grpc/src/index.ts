export { createGrpcServer, type GrpcServer, type GrpcServerOptions } from './server.ts';
