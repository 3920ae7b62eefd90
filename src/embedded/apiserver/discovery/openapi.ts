/** OpenAPI documents of what the server serves now. The documents themselves are built by `#apimachinery/openapi`. */
import { formatApiVersion } from '#apimachinery/meta';
import { buildOpenApiV2, buildOpenApiV3, type ServedKind } from '#apimachinery/openapi';
import { findBuiltin } from '#api/builtin';
import type { ResourceTable } from '../registry/table.ts';
import type { ResourceType } from '../registry/types.ts';

export function openApiV2(table: ResourceTable, version: string): unknown {
  return buildOpenApiV2(table.all().map(servedKind), version);
}

export function openApiV3Index(table: ResourceTable): unknown {
  const paths: Record<string, unknown> = {};
  for (const { group, version } of table.all()) {
    const path = group ? `apis/${group}/${version}` : `api/${version}`;
    paths[path] ??= { serverRelativeURL: `/openapi/v3/${path}?hash=${hashOf(table, path)}` };
  }
  return { paths };
}

function hashOf(table: ResourceTable, path: string): string {
  return Buffer.from(`${path}:${table.version}:openapi-v3-documents`).toString('hex').toUpperCase().slice(0, 128);
}

/** The document of `apis/apps/v1`, or undefined when nothing is served there. */
export function openApiV3(table: ResourceTable, path: string, version: string): unknown {
  const types = table.all().filter((type) => (type.group ? `apis/${type.group}/${type.version}` : `api/${type.version}`) === path);
  return types.length > 0 ? buildOpenApiV3(types.map(servedKind), version) : undefined;
}

function servedKind(type: ResourceType): ServedKind {
  const builtin = type.custom ? undefined : findBuiltin(type.group, type.version, type.plural);
  const { group, version, kind, plural, namespaced, verbs } = type;
  return {
    group,
    version,
    kind,
    plural,
    namespaced,
    verbs,
    schema: type.strategy.schema,
    definition: builtin?.definition ?? customDefinition(type),
    subresources: type.subresources.map(({ name, verbs: subVerbs }) => ({ name, verbs: subVerbs })),
  };
}

/** `com.example.v1.Widget`, as the real server names the definitions of custom resources. */
function customDefinition({ group, version, kind }: ResourceType): string {
  return `${group.split('.').reverse().join('.')}.${version}.${kind}`;
}

void formatApiVersion;
