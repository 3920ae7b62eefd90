/**
 * The transport of a connection: HTTP/2 over TLS, HTTP/1.1 where the server speaks nothing newer or the
 * URL is plain http.
 */
import type { Clock } from '#base/clock';
import { createAuthorizer, type AuthCapabilities } from './auth.ts';
import type { Connection } from './connection.ts';
import { createHttp1Wire } from './http1.ts';
import { createHttp2Wire, NoHttp2Error, type PingOptions } from './http2.ts';
import type { Transport } from '../types.ts';
import { createWireTransport, type Wire } from './wire.ts';

export interface TransportOptions extends Omit<AuthCapabilities, 'clock'> {
  clock: Clock;
  ping?: PingOptions;
  /** Default `auto`: HTTP/2 over TLS when the server offers it. */
  protocol?: 'auto' | 'http1';
}

/** Opens nothing before the first request. */
export function createTransport(connection: Connection, options: TransportOptions): Transport {
  const { clock, ping, protocol, ...capabilities } = options;
  const http1Only = protocol === 'http1' || connection.server.startsWith('http:');
  const wire = http1Only ? createHttp1Wire(connection) : negotiatedWire(connection, clock, ping);
  return createWireTransport({ server: connection.server, wire, authorizer: createAuthorizer(connection.auth, { clock, ...capabilities }), clock });
}

/** HTTP/2 until the server is found not to speak it; that is remembered. */
function negotiatedWire(connection: Connection, clock: Clock, ping: PingOptions | undefined): Wire {
  let current = createHttp2Wire(connection, clock, ping);
  let fallen = false;
  return {
    async exchange(request) {
      try {
        return await current.exchange(request);
      } catch (error) {
        if (!(error instanceof NoHttp2Error)) throw error;
        if (!fallen) {
          fallen = true;
          current.close();
          current = createHttp1Wire(connection);
        }
        return current.exchange(request);
      }
    },
    close: () => current.close(),
  };
}
