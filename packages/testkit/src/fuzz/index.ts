export { attack, spanOfAttack } from './attack.ts';
export { GrpcAttacker, grpcCalls, http2Garbage } from './grpc.ts';
export { type DescribedRoutes, httpGarbage, httpRequests } from './http.ts';
export { type AttackedPlace, type HttpAnswer, type HttpRequest, pour, sendHttp } from './place.ts';
export { upgradeHead, webSocketFrames } from './web-socket.ts';
