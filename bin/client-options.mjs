// The options by which subcommands reach a server, and what they mean to `connect` of the package.
import { UsageError } from './arguments.mjs';

export const clientOptions = {
  ca: { value: 'FILE', help: 'CA certificates to trust in place of the system’s' },
  cert: { value: 'FILE', help: 'certificate of this client' },
  key: { value: 'FILE', help: 'its key' },
  passphrase: { value: 'TEXT', help: 'password of the key' },
  insecure: { short: 'k', help: 'do not check the certificate of the server' },
  deflate: { help: 'offer compression (permessage-deflate)' },
};

export function connectOptions({ ca, cert, key, passphrase, insecure, deflate }) {
  if ((cert === undefined) !== (key === undefined))
    throw new UsageError('--cert and --key go together');
  return {
    ...(ca === undefined ? {} : { caPath: ca }),
    ...(cert === undefined
      ? {}
      : { clientCert: { certPath: cert, keyPath: key, keyPassword: passphrase ?? '' } }),
    skipServerCertVerification: insecure,
    permessageDeflate: deflate,
  };
}

/** What went wrong, with what the system or OpenSSL said. */
export function described(error) {
  const detail = error?.cause?.detail;
  const status = error?.data !== undefined && error.data !== '0' ? ` (HTTP ${error.data})` : '';
  return `${error?.message ?? error}${detail && !error.message.includes(detail) ? `: ${detail}` : ''}${status}`;
}
