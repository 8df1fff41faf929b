import type { Right } from '@hsu-master/core';
import type { Services } from './messages.ts';

/** What a method asks for: a right; those of a list one by one; any valid token; nothing at all. */
export type Asks = Right | `each ${Right}` | 'a token' | 'nothing';

/** Of every method, for the documentation; held to what the methods do by the tests. */
export const ASKS: { readonly [S in keyof Services]: { readonly [M in keyof Services[S]]: Asks } } = {
  'hsu.v1.WorkerService': {
    ListWorkers: 'each workers:read',
    GetWorker: 'workers:read',
    ListLimits: 'workers:read',
    ListProcesses: 'each workers:read',
    GetGraph: 'each workers:read',
    GetEnvironment: 'workers:read',
    Explain: 'workers:read',
    WaitFor: 'workers:read',
    WatchWorkers: 'workers:read',
  },
  'hsu.v1.OrderService': {
    Start: 'workers:order',
    Stop: 'workers:order',
    Restart: 'workers:order',
    Reset: 'workers:order',
    Kill: 'workers:order',
    Signal: 'workers:signal',
    ListTickets: 'each workers:read',
    GetTicket: 'workers:read',
  },
  'hsu.v1.MasterService': {
    GetVersion: 'master:read',
    GetHealth: 'master:read',
    ListCapabilities: 'master:read',
    Validate: 'config:validate',
    ListAudit: 'audit:read',
    Shutdown: 'master:shutdown',
  },
  'hsu.v1.ConfigService': {
    GetConfig: 'config:read',
    Plan: 'config:read',
    Apply: 'config:apply',
    Reload: 'config:apply',
    CreateWorker: 'workers:define',
    ReplaceWorker: 'workers:define',
    RemoveWorker: 'workers:define',
  },
  'hsu.v1.EventService': { ListEvents: 'events:read', FollowEvents: 'events:read' },
  'hsu.v1.LogService': { TailLogs: 'logs:read', SearchLogs: 'logs:read', FollowLogs: 'logs:read' },
  'hsu.v1.ExecService': { Exec: 'workers:exec' },
  'hsu.v1.TokenService': {
    ListTokens: 'tokens:manage',
    CreateToken: 'tokens:manage',
    RevokeToken: 'tokens:manage',
  },
  'proto.CoreService': { Ping: 'nothing' },
  'proto.MasterService': { Status: 'master:read' },
  'grpc.health.v1.Health': { Check: 'nothing', List: 'a token', Watch: 'nothing' },
  'grpc.reflection.v1.ServerReflection': { ServerReflectionInfo: 'a token' },
  'grpc.reflection.v1alpha.ServerReflection': { ServerReflectionInfo: 'a token' },
};
