/** Door: CustomResourceDefinitions of Fleet's kinds, built from their schemas. */
import { FLEET_GROUP, FLEET_VERSION } from '../kinds.ts';
import * as kinds from '../kinds.ts';
import type { Resource } from '#apimachinery/resource';
import type { KubeObject, Unstructured } from '#apimachinery/meta';
import { type KindSchema, kindSchemas } from './kinds.ts';

/** All fourteen CRDs as `apiextensions.k8s.io/v1` objects, in a stable order. */
export function fleetCustomResourceDefinitions(): Unstructured[] {
  const resources = Object.values(kinds).filter((value): value is Resource<KubeObject> => typeof value === 'object' && 'plural' in value);
  return resources.map((resource) => customResourceDefinition(resource, kindSchemas[resource.kind] as KindSchema)).sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
}

function customResourceDefinition(resource: Resource<KubeObject>, schema: KindSchema): Unstructured {
  const singular = resource.kind.toLowerCase();
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${resource.plural}.${FLEET_GROUP}`, annotations: { 'helm.sh/resource-policy': 'keep' } },
    spec: {
      group: FLEET_GROUP,
      names: { kind: resource.kind, listKind: `${resource.kind}List`, plural: resource.plural, singular },
      scope: resource.namespaced ? 'Namespaced' : 'Cluster',
      versions: [
        {
          name: FLEET_VERSION,
          served: true,
          storage: true,
          ...(schema.hasStatus ? { subresources: { status: {} } } : {}),
          ...(schema.columns.length
            ? { additionalPrinterColumns: schema.columns.map(([name, jsonPath, type]) => ({ name, jsonPath, type: type ?? 'string' })) }
            : {}),
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { type: 'object' }, ...schema.fields },
            },
          },
        },
      ],
    },
  };
}
