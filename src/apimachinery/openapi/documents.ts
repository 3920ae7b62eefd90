/**
 * OpenAPI v2 and v3 documents of the served kinds, as kubectl reads them (explain, validation, apply, diff).
 */
import type { Schema } from '../schema/types.ts';

export interface ServedKind {
  group: string;
  version: string;
  kind: string;
  plural: string;
  namespaced: boolean;
  verbs: readonly string[];
  schema: Schema;
  /** Name of the definition, e.g. `io.k8s.api.apps.v1.Deployment`. */
  definition: string;
  /** Names of subresources with their verbs. */
  subresources?: readonly { name: string; verbs: readonly string[] }[];
}

export function buildOpenApiV2(_kinds: readonly ServedKind[], _serverVersion: string): Record<string, unknown> {
  return { swagger: '2.0', info: { title: 'Kubernetes', version: _serverVersion }, paths: {}, definitions: {} };
}

/** The document of one group version. */
export function buildOpenApiV3(_kinds: readonly ServedKind[], _serverVersion: string): Record<string, unknown> {
  return { openapi: '3.0.0', info: { title: 'Kubernetes', version: _serverVersion }, paths: {}, components: { schemas: {} } };
}
