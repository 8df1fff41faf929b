import { createServer, type Server as NetServer } from 'node:net';
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import {
  controlService,
  coreService,
  type HealthCheckRequest,
  type HealthCheckResponse,
  healthService,
  type Order,
  type Report,
} from '@hsu-master/contract';
import { type Place, placeOf } from './address.ts';
import { writePortFile } from './port-file.ts';

/** Why a unit is to end: the master said so over its control stream, or a signal did. */
export interface StopOrder {
  readonly by: 'master' | NodeJS.Signals;
  /** Afterwards the unit is killed; null: not known. */
  readonly graceMs: number | null;
}

export interface UnitOptions {
  /** Adds the program’s own services, before the server listens. */
  register?(server: Server): void;
  /** Called once, when the unit is to end; what it returns is awaited before the server is closed. */
  onStop?(order: StopOrder): Promise<void> | void;
  /** The master has it in its charge, with this name and number of the run. Called again by each next master. */
  onGreeting?(greeting: { readonly worker: string; readonly run: number }): void;
  /** Whether it serves from the beginning; default true. A unit that says false first is not ready until `setServing(true)`. */
  readonly serving?: boolean;
  /** Whether SIGTERM and SIGINT are answered like an order to stop; default true. */
  readonly signals?: boolean;
  /** A file to write the port into; default: HSU_PORT_FILE of the environment, if that is set. */
  readonly portFile?: string;
  /** Default: process.argv and process.env. */
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A program that answers its master. */
export interface Unit {
  readonly port: number;
  /** Whether it can do its work now, and in a few words why. Told to whoever asks for its health. */
  setServing(serving: boolean, text?: string): void;
  /** One line of JSON on standard output, which the master keeps: time, level, message and fields. */
  log(
    level: 'debug' | 'info' | 'warn' | 'error',
    message: string,
    fields?: Readonly<Record<string, unknown>>,
  ): void;
  /** Ends it as an order to stop would. Resolves when no call is under way any more. */
  stop(): Promise<void>;
  /** Resolves when it has ended, whoever wanted it. */
  readonly ended: Promise<void>;
}

/** How long calls that are under way are waited for at the end. */
const DRAIN_MS = 2000;

/**
 * Serves Ping, health and control on the port or socket that the master gives this program. Resolves when it listens.
 * @throws Error where it cannot listen
 */
export async function serveUnit(options: UnitOptions = {}): Promise<Unit> {
  const { argv = process.argv.slice(2), env = process.env } = options;
  const unit = new ServedUnit(options);
  await unit.listen(placeOf(argv, env, process.pid), options.portFile ?? env['HSU_PORT_FILE']);
  if (options.signals !== false) unit.heed(['SIGTERM', 'SIGINT']);
  return unit;
}

type Control = ServerDuplexStream<Order, Report>;
type Watching = ServerWritableStream<HealthCheckRequest, HealthCheckResponse>;

class ServedUnit implements Unit {
  readonly ended: Promise<void>;
  port = 0;
  readonly #options: UnitOptions;
  readonly #server = new Server({ 'grpc.so_reuseport': 0 });
  readonly #controls = new Set<Control>();
  readonly #watching = new Set<Watching>();
  readonly #end: () => void;
  #listener: NetServer | null = null;
  #removePortFile: () => void = () => {};
  #unheed: () => void = () => {};
  #serving: boolean;
  #text = '';
  #stopping: Promise<void> | null = null;

  constructor(options: UnitOptions) {
    this.#options = options;
    this.#serving = options.serving ?? true;
    let end = (): void => {};
    this.ended = new Promise((resolve) => {
      end = resolve;
    });
    this.#end = end;
    this.#server.addService(coreService, {
      Ping: (_call: ServerUnaryCall<object, object>, answer: sendUnaryData<object>) => answer(null, {}),
    });
    this.#server.addService(healthService, {
      Check: (
        call: ServerUnaryCall<HealthCheckRequest, HealthCheckResponse>,
        answer: sendUnaryData<HealthCheckResponse>,
      ) => {
        if (call.request.service === '') answer(null, this.#health());
        else answer({ code: status.NOT_FOUND, details: `there is no service ${call.request.service}` });
      },
      Watch: (call: Watching) => this.#watch(call),
    });
    this.#server.addService(controlService, { Control: (call: Control) => this.#control(call) });
    options.register?.(this.#server);
  }

  async listen(place: Place, portFile: string | undefined): Promise<void> {
    this.port = place.kind === 'socket' ? await this.#take(place.fd) : await this.#bind(place.port);
    if (portFile !== undefined && portFile !== '') this.#removePortFile = writePortFile(portFile, this.port);
  }

  heed(signals: readonly NodeJS.Signals[]): void {
    const hear = (signal: NodeJS.Signals): void => void this.#stop({ by: signal, graceMs: null });
    for (const signal of signals) process.on(signal, hear);
    this.#unheed = () => {
      for (const signal of signals) process.off(signal, hear);
    };
  }

  setServing(serving: boolean, text = ''): void {
    if (serving === this.#serving && text === this.#text) return;
    const changed = serving !== this.#serving;
    this.#serving = serving;
    this.#text = text;
    for (const control of this.#controls) control.write(this.#status());
    if (changed) for (const call of this.#watching) call.write(this.#health());
  }

  log(level: string, message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    const line = { time: new Date().toISOString(), level, message, ...fields };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }

  stop(): Promise<void> {
    return this.#stop({ by: 'master', graceMs: null });
  }

  /** Any address of this machine may be asked for; only this machine is answered. */
  #bind(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
  }

  #take(fd: number): Promise<number> {
    const injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    const listener = createServer((socket) => injector.injectConnection(socket));
    this.#listener = listener;
    return new Promise((resolve, reject) => {
      listener.once('error', reject);
      listener.listen({ fd }, () => {
        const address = listener.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  }

  #control(call: Control): void {
    this.#controls.add(call);
    call.on('data', (order: Order) => this.#obey(order));
    call.on('end', () => call.end());
    for (const event of ['close', 'error', 'cancelled']) call.on(event, () => this.#controls.delete(call));
    call.write({ kind: 'accepted' });
    call.write(this.#status());
  }

  #obey(order: Order): void {
    if (order.kind === 'greeting') this.#options.onGreeting?.(order);
    else if (order.kind === 'stop') void this.#stop({ by: 'master', graceMs: order.graceMs });
  }

  #watch(call: Watching): void {
    this.#watching.add(call);
    for (const event of ['close', 'error', 'cancelled']) call.on(event, () => this.#watching.delete(call));
    call.write(call.request.service === '' ? this.#health() : { status: 'SERVICE_UNKNOWN' });
  }

  #status(): Report {
    return { kind: 'status', serving: this.#serving, text: this.#text };
  }

  #health(): HealthCheckResponse {
    return { status: this.#serving ? 'SERVING' : 'NOT_SERVING' };
  }

  #stop(order: StopOrder): Promise<void> {
    this.#stopping ??= this.#shut(order);
    return this.#stopping;
  }

  async #shut(order: StopOrder): Promise<void> {
    this.setServing(false, 'stopping');
    try {
      await this.#options.onStop?.(order);
    } finally {
      this.#listener?.close();
      for (const call of [...this.#controls, ...this.#watching]) call.end();
      await this.#drained();
      this.#removePortFile();
      this.#unheed();
      this.#end();
    }
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const force = setTimeout(() => {
        this.#server.forceShutdown();
        resolve();
      }, DRAIN_MS);
      this.#server.tryShutdown(() => {
        clearTimeout(force);
        resolve();
      });
    });
  }
}
