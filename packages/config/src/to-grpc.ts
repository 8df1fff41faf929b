import type { GrpcConfig } from './config.ts';
import type { Findings } from './findings.ts';
import type { Place } from './surroundings.ts';
import { isLoopback, RATE, toTls } from './to-api.ts';
import type { WrittenConfig } from './written.ts';

const LOOPBACK = '127.0.0.1';

/** gRPC with the certificates of the API; null: it is not answered. */
export function toGrpc(
  { master = {}, api }: Pick<WrittenConfig, 'master' | 'api'>,
  place: Place,
  findings: Findings,
): GrpcConfig | null {
  const { port, grpc = {} } = master;
  if (findings.hasErrorBelow(['master', 'grpc']) || findings.hasErrorBelow(['api'])) return null;
  if (port === undefined) {
    if (master.grpc !== undefined)
      findings.noticeAt('master.grpc', ['master', 'grpc'], () => ({
        message: 'without master.port the master does not answer gRPC',
        hint: 'write master.port: 50055',
      }));
    return null;
  }
  const host = grpc.host === undefined ? LOOPBACK : grpc.host === '*' ? '::' : grpc.host;
  const tls = toTls(api?.tls, place);
  if (tls === null && !isLoopback(host)) {
    const at = ['master', 'grpc', 'host'];
    const message = `tokens would go over the network as plain text, since ${host} is not this machine’s own address and there is no api.tls`;
    if (api?.allow_plaintext === true) findings.noticeAt('plaintext of gRPC', at, () => ({ message }));
    else
      findings.errorAt(at, {
        message,
        hint: 'give api.tls a certificate and key, leave master.grpc.host out, or set api.allow_plaintext',
      });
  }
  return { host, port, tls, openStatus: grpc.open_status ?? false, rateLimit: api?.rate_limit ?? RATE };
}
