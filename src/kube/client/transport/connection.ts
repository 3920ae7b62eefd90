/**
 * How to reach one API server, as plain data: it can be handed to a worker thread or written to a file.
 * Made from a kubeconfig (kubeconfig.ts) or from a pod's service account ({@link inClusterConnection}).
 *
 * Absent: reading files and environment variables. `cmd` does that and passes the values in.
 */

/** Who we are. Tokens in files are re-read while running, because bound tokens are replaced by the kubelet. */
export type Auth =
  | { kind: 'none' }
  | { kind: 'token'; token: string }
  | { kind: 'tokenFile'; path: string }
  | { kind: 'basic'; username: string; password: string }
  | { kind: 'exec'; command: string; args: readonly string[]; env: Readonly<Record<string, string>>; apiVersion: string };

export interface Connection {
  /** `https://host:port` with an optional path prefix; `http://` is for tests. */
  server: string;
  /** PEM certificates that sign the server's; absent: the system's authorities. */
  ca?: string;
  insecureSkipTlsVerify?: boolean;
  /** Name to expect in the server's certificate instead of the host. */
  tlsServerName?: string;
  /** Client certificate and key, PEM. */
  cert?: string;
  key?: string;
  auth: Auth;
  /** Namespace of the context or the service account. */
  namespace?: string;
}

export interface InClusterValues {
  /** `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`. */
  host: string;
  port: string | number;
  /** Contents of the service account's `ca.crt`. */
  ca: string;
  /** Path of the service account's token; re-read while running. */
  tokenFile: string;
  namespace?: string;
}

/** The connection of a pod through its service account (kubernetes.io "Accessing the API from a Pod"). */
export function inClusterConnection(values: InClusterValues): Connection {
  const host = values.host.includes(':') ? `[${values.host}]` : values.host;
  return {
    server: `https://${host}:${values.port}`,
    ca: values.ca,
    auth: { kind: 'tokenFile', path: values.tokenFile },
    ...(values.namespace ? { namespace: values.namespace } : {}),
  };
}
