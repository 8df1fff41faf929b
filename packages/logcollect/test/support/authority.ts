import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** An authority of a test’s own, in a folder, that signs certificates with the system’s openssl. */
export class Authority {
  readonly #folder: string;
  readonly caFile: string;

  constructor(folder: string, name = 'ca') {
    this.#folder = folder;
    this.caFile = join(folder, `${name}.pem`);
    this.#openssl(
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ['-subj', `/CN=${name}`, '-keyout', join(folder, `${name}.key`), '-out', this.caFile],
      ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=keyCertSign,cRLSign'],
    );
  }

  /** A certificate for 127.0.0.1, localhost and that name. */
  issue(name: string): { readonly certFile: string; readonly keyFile: string } {
    const file = (end: string) => join(this.#folder, `${name}.${end}`);
    writeFileSync(file('ext'), `subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:${name}\n`);
    this.#openssl(
      ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ['-subj', `/CN=${name}`, '-keyout', file('key'), '-out', file('csr')],
    );
    this.#openssl(
      ['x509', '-req', '-in', file('csr'), '-CA', this.caFile, '-CAkey', this.caFile.replace(/pem$/, 'key')],
      ['-CAcreateserial', '-days', '2', '-extfile', file('ext'), '-out', file('pem')],
    );
    return { certFile: file('pem'), keyFile: file('key') };
  }

  #openssl(...parts: readonly (readonly string[])[]): void {
    execFileSync('openssl', parts.flat(), { stdio: 'pipe' });
  }
}
