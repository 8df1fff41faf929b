import { execFileSync } from 'node:child_process';
import { renameSync } from 'node:fs';

/** Makes a certificate for this machine that signs itself, and its key, with the system's openssl; replaces those that are there. */
export function makeCertificate(cert: string, key: string, name = 'localhost'): void {
  execFileSync(
    'openssl',
    [
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'],
      ['-keyout', `${key}.new`, '-out', `${cert}.new`],
    ].flat(),
    { stdio: 'pipe' },
  );
  renameSync(`${key}.new`, key);
  renameSync(`${cert}.new`, cert);
}
