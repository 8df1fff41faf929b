// Generated from the proto files by `npm run docs`; changes here are lost.

// 64-bit numbers are numbers; what is beyond 2^53 is not exact. A message that is not there is null, an optional value left out.

/** A method: how many questions it takes and answers it gives, and what they are. */
export interface Method<Kind extends string, Question, Answer> {
  readonly kind: Kind;
  readonly question: Question;
  readonly answer: Answer;
}

export interface Services {
  readonly 'hsu.v1.WorkerService': {
    readonly ListWorkers: Method<'one-one', ListWorkersRequest, ListWorkersResponse>;
    readonly GetWorker: Method<'one-one', GetWorkerRequest, WorkerDetail>;
    readonly ListLimits: Method<'one-one', ListLimitsRequest, ListLimitsResponse>;
    readonly ListProcesses: Method<'one-one', ListProcessesRequest, ListProcessesResponse>;
    readonly GetGraph: Method<'one-one', GetGraphRequest, Graph>;
    readonly GetEnvironment: Method<'one-one', GetEnvironmentRequest, Environment>;
    readonly Explain: Method<'one-one', ExplainRequest, Explanation>;
    readonly WaitFor: Method<'one-one', WaitForRequest, WaitForResponse>;
    readonly WatchWorkers: Method<'one-streamed', WatchWorkersRequest, WatchWorkersResponse>;
  };
  readonly 'hsu.v1.OrderService': {
    readonly Start: Method<'one-one', OrderRequest, Ticket>;
    readonly Stop: Method<'one-one', OrderRequest, Ticket>;
    readonly Restart: Method<'one-one', OrderRequest, Ticket>;
    readonly Reset: Method<'one-one', OrderRequest, Ticket>;
    readonly Kill: Method<'one-one', OrderRequest, Ticket>;
    readonly Signal: Method<'one-one', SignalRequest, Ticket>;
    readonly ListTickets: Method<'one-one', ListTicketsRequest, ListTicketsResponse>;
    readonly GetTicket: Method<'one-one', GetTicketRequest, Ticket>;
  };
  readonly 'hsu.v1.MasterService': {
    readonly GetVersion: Method<'one-one', GetVersionRequest, Version>;
    readonly GetHealth: Method<'one-one', GetHealthRequest, Health>;
    readonly ListCapabilities: Method<'one-one', ListCapabilitiesRequest, ListCapabilitiesResponse>;
    readonly Validate: Method<'one-one', ValidateRequest, Validation>;
    readonly ListAudit: Method<'one-one', ListAuditRequest, ListAuditResponse>;
    readonly Shutdown: Method<'one-one', ShutdownRequest, Ending>;
  };
  readonly 'hsu.v1.ConfigService': {
    readonly GetConfig: Method<'one-one', GetConfigRequest, Config>;
    readonly Plan: Method<'one-one', PlanRequest, Planned>;
    readonly Apply: Method<'one-one', ApplyRequest, Change>;
    readonly Reload: Method<'one-one', ReloadRequest, Change>;
    readonly CreateWorker: Method<'one-one', CreateWorkerRequest, Change>;
    readonly ReplaceWorker: Method<'one-one', ReplaceWorkerRequest, Change>;
    readonly RemoveWorker: Method<'one-one', RemoveWorkerRequest, Change>;
  };
  readonly 'hsu.v1.EventService': {
    readonly ListEvents: Method<'one-one', ListEventsRequest, ListEventsResponse>;
    readonly FollowEvents: Method<'one-streamed', FollowEventsRequest, FollowEventsResponse>;
  };
  readonly 'hsu.v1.LogService': {
    readonly TailLogs: Method<'one-one', TailLogsRequest, TailLogsResponse>;
    readonly SearchLogs: Method<'one-one', SearchLogsRequest, SearchLogsResponse>;
    readonly FollowLogs: Method<'one-streamed', FollowLogsRequest, FollowLogsResponse>;
  };
  readonly 'hsu.v1.ExecService': {
    readonly Exec: Method<'streamed-streamed', ExecRequest, ExecResponse>;
  };
  readonly 'hsu.v1.TokenService': {
    readonly ListTokens: Method<'one-one', ListTokensRequest, ListTokensResponse>;
    readonly CreateToken: Method<'one-one', CreateTokenRequest, CreateTokenResponse>;
    readonly RevokeToken: Method<'one-one', RevokeTokenRequest, Token>;
  };
  readonly 'proto.CoreService': {
    readonly Ping: Method<'one-one', PingRequest, PingResponse>;
  };
  readonly 'proto.MasterService': {
    readonly Status: Method<'one-one', StatusRequest, StatusResponse>;
  };
  readonly 'grpc.health.v1.Health': {
    readonly Check: Method<'one-one', HealthCheckRequest, HealthCheckResponse>;
    readonly List: Method<'one-one', HealthListRequest, HealthListResponse>;
    readonly Watch: Method<'one-streamed', HealthCheckRequest, HealthCheckResponse>;
  };
  readonly 'grpc.reflection.v1.ServerReflection': {
    readonly ServerReflectionInfo: Method<
      'streamed-streamed',
      ServerReflectionRequest,
      ServerReflectionResponse
    >;
  };
  readonly 'grpc.reflection.v1alpha.ServerReflection': {
    readonly ServerReflectionInfo: Method<
      'streamed-streamed',
      ServerReflectionRequest,
      ServerReflectionResponse
    >;
  };
}

export type Phase =
  | 'PHASE_UNSPECIFIED'
  | 'PHASE_STOPPED'
  | 'PHASE_BLOCKED'
  | 'PHASE_STARTING'
  | 'PHASE_RUNNING'
  | 'PHASE_STOPPING'
  | 'PHASE_BACKOFF'
  | 'PHASE_FAILED';

export type Desired = 'DESIRED_UNSPECIFIED' | 'DESIRED_UP' | 'DESIRED_DOWN';

export type Breaker = 'BREAKER_UNSPECIFIED' | 'BREAKER_CLOSED' | 'BREAKER_OPEN' | 'BREAKER_HALF_OPEN';

export type Support = 'SUPPORT_UNSPECIFIED' | 'SUPPORT_ENFORCED' | 'SUPPORT_WATCHED' | 'SUPPORT_IMPOSSIBLE';

export type Condition =
  | 'CONDITION_UNSPECIFIED'
  | 'CONDITION_RUNNING'
  | 'CONDITION_READY'
  | 'CONDITION_STOPPED'
  | 'CONDITION_COMPLETED';

export type Target = 'TARGET_MAIN' | 'TARGET_TREE';

export type OrderKind =
  | 'ORDER_KIND_UNSPECIFIED'
  | 'ORDER_KIND_START'
  | 'ORDER_KIND_STOP'
  | 'ORDER_KIND_RESTART'
  | 'ORDER_KIND_RESET'
  | 'ORDER_KIND_KILL'
  | 'ORDER_KIND_SIGNAL';

export type TicketState =
  | 'TICKET_STATE_UNSPECIFIED'
  | 'TICKET_STATE_PENDING'
  | 'TICKET_STATE_DONE'
  | 'TICKET_STATE_SUPERSEDED'
  | 'TICKET_STATE_FAILED';

export type Severity = 'SEVERITY_UNSPECIFIED' | 'SEVERITY_ERROR' | 'SEVERITY_WARNING';

export type OutputStream = 'OUTPUT_STREAM_UNSPECIFIED' | 'OUTPUT_STREAM_STDOUT' | 'OUTPUT_STREAM_STDERR';

export interface ListWorkersRequest {
  readonly select: readonly string[];
  readonly namespace?: string | null | undefined;
  readonly usage: boolean;
}

export interface ListWorkersResponse {
  readonly master: string;
  readonly seq: number;
  readonly workers: readonly Worker[];
}

export interface Worker {
  readonly id: string;
  readonly name: string;
  readonly namespace?: string | null | undefined;
  readonly group?: string | null | undefined;
  readonly enabled: boolean;
  readonly phase: Phase;
  readonly desired: Desired;
  readonly doing: string;
  readonly ready: boolean;
  readonly probed: boolean;
  readonly completed: boolean;
  readonly run: number;
  readonly process: Process | null;
  readonly startedAt: Timestamp | null;
  readonly restarts: number;
  readonly failuresInARow: number;
  readonly breaker: Breaker;
  readonly nextTry: Timestamp | null;
  readonly waiting: readonly Waiting[];
  readonly failure: Failure | null;
  readonly lastEnd: RunEnd | null;
  readonly throttled: readonly string[];
  readonly degraded: readonly string[];
  readonly usage: Usage | null;
  readonly port?: number | null | undefined;
}

export interface Waiting {
  readonly id: string;
  readonly condition: string;
  readonly reason: string;
}

export interface RunEnd {
  readonly run: number;
  readonly code?: number | null | undefined;
  readonly signal?: string | null | undefined;
  readonly says: string;
  readonly success: boolean;
  readonly uptime: Duration | null;
  readonly at: Timestamp | null;
}

export interface Usage {
  readonly cpuPercent?: number | null | undefined;
  readonly memoryBytes: number;
  readonly processes: number;
}

export interface GetWorkerRequest {
  readonly id: string;
}

export interface WorkerDetail {
  readonly worker: Worker | null;
  readonly description: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly environment: readonly string[];
  readonly user?: string | null | undefined;
  readonly stop: Stop | null;
  readonly dependsOn: readonly Dependency[];
  readonly dependents: readonly string[];
  readonly startup: Probe | null;
  readonly liveness: Probe | null;
  readonly readiness: Probe | null;
  readonly stdoutFile: string;
  readonly stderrFile: string;
  readonly members: readonly Process[];
}

export interface Stop {
  readonly signal: string;
  readonly grace: Duration | null;
}

export interface Dependency {
  readonly id: string;
  readonly condition: string;
  readonly restart: boolean;
}

export interface Probe {
  readonly check: Struct | null;
  readonly interval: Duration | null;
  readonly timeout: Duration | null;
  readonly initialDelay: Duration | null;
  readonly failureThreshold: number;
  readonly successThreshold: number;
}

export interface ListProcessesRequest {
  readonly select: readonly string[];
  readonly namespace?: string | null | undefined;
}

export interface ListProcessesResponse {
  readonly processes: readonly TreeProcess[];
}

export interface TreeProcess {
  readonly worker: string;
  readonly process: Process | null;
  readonly ppid?: number | null | undefined;
  readonly state?: string | null | undefined;
  readonly argv: readonly string[];
  readonly user?: number | null | undefined;
  readonly cpu: Duration | null;
  readonly memoryBytes?: number | null | undefined;
}

export interface GetGraphRequest {
  readonly select: readonly string[];
  readonly namespace?: string | null | undefined;
}

export interface Graph {
  readonly workers: readonly GraphNode[];
}

export interface GraphNode {
  readonly id: string;
  readonly namespace?: string | null | undefined;
  readonly enabled: boolean;
  readonly phase: Phase;
  readonly ready: boolean;
  readonly completed: boolean;
  readonly dependsOn: readonly Dependency[];
}

export interface GetEnvironmentRequest {
  readonly id: string;
  readonly reveal: boolean;
}

export interface Environment {
  readonly revealed: boolean;
  readonly argv: readonly string[];
  readonly variables: readonly Variable[];
}

export interface Variable {
  readonly name: string;
  readonly value?: string | null | undefined;
}

export interface ListLimitsRequest {
  readonly id: string;
}

export interface ListLimitsResponse {
  readonly limits: readonly LimitReport[];
}

export interface LimitReport {
  readonly limit: string;
  readonly status: Support;
  readonly mechanism: string;
  readonly reason: string;
}

export interface ExplainRequest {
  readonly id: string;
}

export interface Explanation {
  readonly worker: string;
  readonly headline: string;
  readonly history: readonly Happening[];
  readonly cause?: string | null | undefined;
  readonly lastWords: readonly string[];
  readonly next: readonly NextStep[];
}

export interface Happening {
  readonly at: Timestamp | null;
  readonly run?: number | null | undefined;
  readonly text: string;
  readonly count: number;
}

export interface NextStep {
  readonly does: string;
  readonly command: string;
}

export interface WaitForRequest {
  readonly id: string;
  readonly condition: Condition;
  readonly timeout: Duration | null;
}

export interface WaitForResponse {
  readonly met: boolean;
  readonly never: boolean;
  readonly worker: Worker | null;
}

export interface WatchWorkersRequest {
  readonly select: readonly string[];
  readonly namespace?: string | null | undefined;
}

export interface WatchWorkersResponse {
  readonly states?: ListWorkersResponse | null | undefined;
  readonly changed?: WorkerChange | null | undefined;
  readonly removed?: WorkerRemoval | null | undefined;
}

export interface WorkerChange {
  readonly seq: number;
  readonly worker: Worker | null;
}

export interface WorkerRemoval {
  readonly seq: number;
  readonly id: string;
}

export interface Process {
  readonly pid: number;
  readonly startedAt: string;
}

export interface Failure {
  readonly code: string;
  readonly message: string;
}

export interface OrderRequest {
  readonly id: string;
  readonly wait: Duration | null;
}

export interface SignalRequest {
  readonly id: string;
  readonly signal: string;
  readonly to: Target;
}

export interface Ticket {
  readonly id: string;
  readonly worker: string;
  readonly order: OrderKind;
  readonly state: TicketState;
  readonly already: boolean;
  readonly failure: Failure | null;
  readonly askedAt: Timestamp | null;
  readonly settledAt: Timestamp | null;
}

export type ListTicketsRequest = Readonly<Record<string, never>>;

export interface ListTicketsResponse {
  readonly tickets: readonly Ticket[];
}

export interface GetTicketRequest {
  readonly id: string;
  readonly wait: Duration | null;
}

export type GetVersionRequest = Readonly<Record<string, never>>;

export interface Version {
  readonly master: string;
  readonly version: string;
  readonly pid: number;
  readonly startedAt: Timestamp | null;
  readonly node: string;
  readonly platform: string;
  readonly configFile: string;
  readonly stateDirectory: string;
  readonly logDirectory: string;
  readonly lacksAddon?: string | null | undefined;
}

export type GetHealthRequest = Readonly<Record<string, never>>;

export type HealthStatus = 'STATUS_UNSPECIFIED' | 'STATUS_OK' | 'STATUS_DEGRADED';

export interface Health {
  readonly status: HealthStatus;
  readonly total: number;
  readonly wanted: number;
  readonly ready: number;
  readonly running: number;
  readonly backoff: number;
  readonly blocked: number;
  readonly failed: number;
}

export type ListCapabilitiesRequest = Readonly<Record<string, never>>;

export interface ListCapabilitiesResponse {
  readonly capabilities: readonly Capability[];
}

export interface Capability {
  readonly feature: string;
  readonly status: Support;
  readonly reason: string;
}

export interface ValidateRequest {
  readonly text: string;
  readonly file: string;
}

export interface Validation {
  readonly ok: boolean;
  readonly issues: readonly Issue[];
  readonly workers: readonly string[];
}

export interface Issue {
  readonly severity: Severity;
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly message: string;
  readonly hint?: string | null | undefined;
}

export interface ListAuditRequest {
  readonly limit?: number | null | undefined;
  readonly action?: string | null | undefined;
  readonly by?: string | null | undefined;
}

export interface ListAuditResponse {
  readonly entries: readonly AuditEntry[];
}

export type AuditEntryResult = 'RESULT_UNSPECIFIED' | 'RESULT_DONE' | 'RESULT_REFUSED' | 'RESULT_FAILED';

export interface AuditEntry {
  readonly at: Timestamp | null;
  readonly by: string;
  readonly from: string;
  readonly action: string;
  readonly on: string;
  readonly result: AuditEntryResult;
  readonly why?: string | null | undefined;
}

export interface ShutdownRequest {
  readonly reason: string;
}

export interface Ending {
  readonly survivors: readonly Process[];
  readonly forced: boolean;
}

export type GetConfigRequest = Readonly<Record<string, never>>;

export type ConfigSource = 'SOURCE_UNSPECIFIED' | 'SOURCE_FILE' | 'SOURCE_APPLIED';

export interface Config {
  readonly revision: number;
  readonly file: string;
  readonly source: ConfigSource;
  readonly acceptedAt: Timestamp | null;
  readonly created: readonly string[];
  readonly replaced: readonly string[];
  readonly removed: readonly string[];
  readonly workers: readonly Struct[];
}

export interface PlanRequest {
  readonly text?: string | null | undefined;
  readonly file: string;
}

export interface Planned {
  readonly ok: boolean;
  readonly issues: readonly Issue[];
  readonly revision: number;
  readonly plan: ConfigPlan | null;
  readonly workers: readonly string[];
}

export interface ConfigPlan {
  readonly workers: readonly WorkerPlan[];
  readonly unchanged: readonly string[];
  readonly settings: readonly SettingChange[];
}

export interface WorkerPlan {
  readonly id: string;
  readonly kind: string;
  readonly action: string;
  readonly parts: readonly PartChange[];
}

export interface PartChange {
  readonly path: string;
  readonly before?: string | null | undefined;
  readonly after?: string | null | undefined;
  readonly effective: string;
}

export interface SettingChange {
  readonly path: string;
  readonly effective: string;
}

export interface ApplyRequest {
  readonly text: string;
  readonly file: string;
  readonly basedOn?: number | null | undefined;
  readonly wait: Duration | null;
}

export interface ReloadRequest {
  readonly wait: Duration | null;
}

export interface CreateWorkerRequest {
  readonly worker: Struct | null;
  readonly basedOn?: number | null | undefined;
  readonly wait: Duration | null;
}

export interface ReplaceWorkerRequest {
  readonly id: string;
  readonly worker: Struct | null;
  readonly basedOn?: number | null | undefined;
  readonly wait: Duration | null;
}

export interface RemoveWorkerRequest {
  readonly id: string;
  readonly basedOn?: number | null | undefined;
  readonly wait: Duration | null;
}

export type ChangeState =
  | 'STATE_UNSPECIFIED'
  | 'STATE_PENDING'
  | 'STATE_DONE'
  | 'STATE_SUPERSEDED'
  | 'STATE_FAILED';

export interface Change {
  readonly revision: number;
  readonly plan: ConfigPlan | null;
  readonly warnings: readonly Issue[];
  readonly state: ChangeState;
  readonly failures: readonly ChangeFailure[];
  readonly id?: string | null | undefined;
}

export interface ChangeFailure {
  readonly worker?: string | null | undefined;
  readonly code: string;
  readonly message: string;
}

export interface Event {
  readonly seq: number;
  readonly at: Timestamp | null;
  readonly type: string;
  readonly worker?: string | null | undefined;
  readonly run?: number | null | undefined;
  readonly payload: Struct | null;
}

export interface ListEventsRequest {
  readonly select: readonly string[];
  readonly types: readonly string[];
  readonly since: number;
  readonly limit: number;
  readonly wait: Duration | null;
}

export interface ListEventsResponse {
  readonly master: string;
  readonly seq: number;
  readonly lost: number;
  readonly events: readonly Event[];
}

export interface FollowEventsRequest {
  readonly select: readonly string[];
  readonly types: readonly string[];
  readonly since?: number | null | undefined;
  readonly master?: string | null | undefined;
}

export interface FollowEventsResponse {
  readonly begun?: Begun | null | undefined;
  readonly event?: Event | null | undefined;
  readonly lost?: number | null | undefined;
}

export interface Begun {
  readonly master: string;
  readonly seq: number;
  readonly resumed: boolean;
}

export interface LogLine {
  readonly worker: string;
  readonly stream: OutputStream;
  readonly at: Timestamp | null;
  readonly stamped: boolean;
  readonly run: number;
  readonly text: string;
}

export interface TailLogsRequest {
  readonly select: readonly string[];
  readonly namespace?: string | null | undefined;
  readonly stream: OutputStream;
  readonly lines?: number | null | undefined;
}

export interface TailLogsResponse {
  readonly lines: readonly LogLine[];
}

export type SearchLogsRequestOrder = 'ORDER_NEWEST' | 'ORDER_OLDEST';

export interface SearchLogsRequest {
  readonly select: readonly string[];
  readonly namespace?: string | null | undefined;
  readonly stream: OutputStream;
  readonly text?: string | null | undefined;
  readonly ignoreCase: boolean;
  readonly pattern?: string | null | undefined;
  readonly minLevel?: string | null | undefined;
  readonly from: Timestamp | null;
  readonly to: Timestamp | null;
  readonly order: SearchLogsRequestOrder;
  readonly limit?: number | null | undefined;
  readonly cursor?: string | null | undefined;
}

export interface SearchLogsResponse {
  readonly lines: readonly LogLine[];
  readonly cursor?: string | null | undefined;
}

export interface FollowLogsRequest {
  readonly select: readonly string[];
  readonly namespace?: string | null | undefined;
  readonly stream: OutputStream;
  readonly lines?: number | null | undefined;
}

export interface FollowLogsResponse {
  readonly line?: LogLine | null | undefined;
  readonly lost?: LogLoss | null | undefined;
}

export interface LogLoss {
  readonly worker: string;
  readonly bytes: number;
  readonly lines: number;
}

export interface ExecRequest {
  readonly start?: ExecStart | null | undefined;
  readonly input?: Uint8Array | null | undefined;
  readonly signal?: string | null | undefined;
}

export interface ExecStart {
  readonly id: string;
  readonly argv: readonly string[];
}

export interface ExecResponse {
  readonly begun?: ExecBegun | null | undefined;
  readonly stdout?: Uint8Array | null | undefined;
  readonly stderr?: Uint8Array | null | undefined;
  readonly exit?: ExecExit | null | undefined;
  readonly failure?: Failure | null | undefined;
}

export interface ExecBegun {
  readonly session: string;
}

export interface ExecExit {
  readonly code?: number | null | undefined;
  readonly signal?: string | null | undefined;
}

export type ListTokensRequest = Readonly<Record<string, never>>;

export interface ListTokensResponse {
  readonly tokens: readonly Token[];
}

export interface Token {
  readonly id: string;
  readonly name: string;
  readonly grant: TokenGrant | null;
  readonly createdAt: Timestamp | null;
  readonly expiresAt: Timestamp | null;
}

export interface TokenGrant {
  readonly role: string;
  readonly plus: readonly string[];
  readonly minus: readonly string[];
  readonly workers: readonly string[];
  readonly namespaces: readonly string[];
}

export interface CreateTokenRequest {
  readonly name: string;
  readonly grant: TokenGrant | null;
  readonly expires: Duration | null;
}

export interface CreateTokenResponse {
  readonly token: Token | null;
  readonly text: string;
}

export interface RevokeTokenRequest {
  readonly token: string;
}

export type PingRequest = Readonly<Record<string, never>>;

export type PingResponse = Readonly<Record<string, never>>;

export type StatusRequest = Readonly<Record<string, never>>;

export interface StatusResponse {
  readonly status: string;
}

export interface HealthCheckRequest {
  readonly service: string;
}

export type HealthCheckResponseServingStatus = 'UNKNOWN' | 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';

export interface HealthCheckResponse {
  readonly status: HealthCheckResponseServingStatus;
}

export type HealthListRequest = Readonly<Record<string, never>>;

export interface HealthListResponse {
  readonly statuses: Readonly<Record<string, HealthCheckResponse>>;
}

export interface ServerReflectionRequest {
  readonly host: string;
  readonly fileByFilename?: string | null | undefined;
  readonly fileContainingSymbol?: string | null | undefined;
  readonly fileContainingExtension?: ExtensionRequest | null | undefined;
  readonly allExtensionNumbersOfType?: string | null | undefined;
  readonly listServices?: string | null | undefined;
}

export interface ExtensionRequest {
  readonly containingType: string;
  readonly extensionNumber: number;
}

export interface ServerReflectionResponse {
  readonly validHost: string;
  readonly originalRequest: ServerReflectionRequest | null;
  readonly fileDescriptorResponse?: FileDescriptorResponse | null | undefined;
  readonly allExtensionNumbersResponse?: ExtensionNumberResponse | null | undefined;
  readonly listServicesResponse?: ListServiceResponse | null | undefined;
  readonly errorResponse?: ErrorResponse | null | undefined;
}

export interface FileDescriptorResponse {
  readonly fileDescriptorProto: readonly Uint8Array[];
}

export interface ExtensionNumberResponse {
  readonly baseTypeName: string;
  readonly extensionNumber: readonly number[];
}

export interface ListServiceResponse {
  readonly service: readonly ServiceResponse[];
}

export interface ServiceResponse {
  readonly name: string;
}

export interface ErrorResponse {
  readonly errorCode: number;
  readonly errorMessage: string;
}

export interface Any {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

export interface Duration {
  readonly seconds: number;
  readonly nanos: number;
}

export type NullValue = 'NULL_VALUE';

export interface Struct {
  readonly fields: Readonly<Record<string, Value>>;
}

export interface Value {
  readonly nullValue?: NullValue | null | undefined;
  readonly numberValue?: number | null | undefined;
  readonly stringValue?: string | null | undefined;
  readonly boolValue?: boolean | null | undefined;
  readonly structValue?: Struct | null | undefined;
  readonly listValue?: ListValue | null | undefined;
}

export interface ListValue {
  readonly values: readonly Value[];
}

export interface Timestamp {
  readonly seconds: number;
  readonly nanos: number;
}

export interface Status {
  readonly code: number;
  readonly message: string;
  readonly details: readonly Any[];
}

export interface ErrorInfo {
  readonly reason: string;
  readonly domain: string;
  readonly metadata: Readonly<Record<string, string>>;
}
