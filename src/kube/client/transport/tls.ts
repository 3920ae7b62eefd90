/** TLS options of a connection, the same for HTTP/1.1 and HTTP/2. */
import type { ConnectionOptions } from 'node:tls';
import { isIP } from 'node:net';
import type { Connection } from './connection.ts';

export function tlsOptions(connection: Connection): ConnectionOptions {
  const host = new URL(connection.server).hostname.replace(/^\[|\]$/g, '');
  const servername = connection.tlsServerName ?? (isIP(host) ? undefined : host);
  return {
    ...(connection.ca === undefined ? {} : { ca: connection.ca }),
    ...(connection.cert === undefined ? {} : { cert: connection.cert }),
    ...(connection.key === undefined ? {} : { key: connection.key }),
    ...(servername === undefined ? {} : { servername }),
    rejectUnauthorized: connection.insecureSkipTlsVerify !== true,
    minVersion: 'TLSv1.2',
  };
}
