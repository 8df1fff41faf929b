import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { Authority } from '../test/support/authority.ts';
import { folder } from '../test/support/place.ts';

const FOLDERS = ['/usr/sbin', '/sbin', '/usr/local/sbin'];

/** One message as rsyslog understood it. */
export interface Understood {
  readonly priority: string;
  readonly time: string;
  readonly host: string;
  readonly app: string;
  readonly pid: string;
  readonly id: string;
  readonly data: string;
  readonly text: string;
}

const PROPERTIES: Readonly<Record<keyof Understood, string>> = {
  priority: 'pri',
  time: 'timereported',
  host: 'hostname',
  app: 'app-name',
  pid: 'procid',
  id: 'msgid',
  data: 'structured-data',
  text: 'msg',
};

/** A real rsyslogd in a folder of its own, which listens in every way and writes what it understood, one file for each. */
export class Rsyslog {
  readonly place = folder();
  readonly authority = new Authority(this.place);
  readonly server = this.authority.issue('server');
  readonly client = this.authority.issue('client');
  readonly stream = join(this.place, 'stream.sock');
  readonly datagram = join(this.place, 'datagram.sock');
  udp = 0;
  tcp = 0;
  tls = 0;
  #process: ChildProcess | null = null;

  async start(): Promise<this> {
    const program = FOLDERS.map((path) => join(path, 'rsyslogd')).find((path) => existsSync(path));
    const hasTls = readdirSync('/usr/lib').some((name) =>
      existsSync(`/usr/lib/${name}/rsyslog/lmnsd_gtls.so`),
    );
    if (program === undefined || !hasTls)
      throw new Error('rsyslog is not installed: apt-get install rsyslog rsyslog-gnutls');
    if (this.tcp === 0) [this.udp, this.tcp, this.tls] = (await freePorts(3)) as [number, number, number];
    mkdirSync(join(this.place, 'work'), { recursive: true });
    const file = join(this.place, 'rsyslog.conf');
    writeFileSync(file, this.#configuration());
    const words = ['-n', '-f', file, '-i', join(this.place, 'rsyslog.pid')];
    const child = spawn(program, words, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk) => (said += String(chunk)));
    this.#process = child;
    onTestFinished(() => this.stop());
    for (const port of [this.tcp, this.tls]) {
      while (!(await answers(port))) {
        if (child.exitCode !== null) throw new Error(`rsyslogd ended: ${said}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    return this;
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }

  /** What came in one way, in its order. */
  understood(way: 'udp' | 'tcp' | 'tls' | 'stream' | 'datagram'): Understood[] {
    const path = join(this.place, `${way}.log`);
    if (!existsSync(path)) return [];
    return readFileSync(path, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Understood);
  }

  #configuration(): string {
    const properties = Object.entries(PROPERTIES).map(
      ([name, property]) =>
        `property(outname="${name}" name="${property}" format="jsonf"${property === 'timereported' ? ' dateFormat="rfc3339"' : ''})`,
    );
    const template = `constant(value="{") ${properties.join(' constant(value=",") ')} constant(value="}\\n")`;
    const ways = ['udp', 'tcp', 'tls', 'stream', 'datagram'];
    const rulesets = ways.map(
      (way) =>
        `ruleset(name="${way}") { action(type="omfile" file="${this.place}/${way}.log" template="json") }`,
    );
    return `
global(workDirectory="${this.place}/work" maxMessageSize="64k"
  defaultNetstreamDriverCAFile="${this.authority.caFile}"
  defaultNetstreamDriverCertFile="${this.server.certFile}"
  defaultNetstreamDriverKeyFile="${this.server.keyFile}")
module(load="imudp") module(load="imptcp")
module(load="imuxsock" SysSock.Use="off")
module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="x509/certvalid")
template(name="json" type="list") { ${template} }
${rulesets.join('\n')}
input(type="imudp" address="127.0.0.1" port="${this.udp}" rcvbufSize="4m" ruleset="udp")
input(type="imptcp" address="127.0.0.1" port="${this.tcp}" ruleset="tcp")
input(type="imptcp" path="${this.stream}" unlink="on" ruleset="stream")
input(type="imuxsock" socket="${this.datagram}" createPath="off" useSysTimeStamp="off" usePIDFromSystem="off" rateLimit.interval="0" ruleset="datagram")
input(type="imtcp" address="127.0.0.1" port="${this.tls}" ruleset="tls")
`;
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const isOpen = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  });
  socket.destroy();
  return isOpen;
}
