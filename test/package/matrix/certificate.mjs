// A certificate of 127.0.0.1 for the consumers' wss, made by `openssl`.
import { execFileSync } from 'node:child_process';
import path from 'node:path';

/** Writes certificate and key into a folder; the environment that tells the consumers where they are. */
export function makeCertificate(folder, env = process.env) {
  const files = {
    SMOKE_CERTIFICATE: path.join(folder, 'certificate.pem'),
    SMOKE_KEY: path.join(folder, 'key.pem'),
  };
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  args.push('-keyout', files.SMOKE_KEY, '-out', files.SMOKE_CERTIFICATE);
  args.push('-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1');
  execFileSync('openssl', args, { env, stdio: 'pipe' });
  return files;
}
