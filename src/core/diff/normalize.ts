/**
 * What is taken out of an object before it is compared, because the cluster writes it or writes it
 * differently: status, server metadata, CA bundles injected into webhooks, replicas an autoscaler sets,
 * aggregated rules. Desired and live go through the same hands. Source: facts §2.7.
 */
import { parseApiVersion, type Unstructured } from '#apimachinery/meta';
import { base64Encode } from '#base/hash';
import { deepClone, isRecord } from '#base/json';

const SERVER_METADATA = ['managedFields', 'resourceVersion', 'uid', 'generation', 'creationTimestamp', 'selfLink', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'ownerReferences'];

export interface NormalizeOptions {
  /** A HorizontalPodAutoscaler sets the replicas of this object. */
  scaled?: boolean;
}

/** A normalized copy; the input is not changed. */
export function normalize(object: Unstructured, options: NormalizeOptions = {}): Unstructured {
  const copy = deepClone(object);
  delete copy.status;
  for (const field of SERVER_METADATA) delete (copy.metadata as unknown as Record<string, unknown>)[field];
  const kind = `${parseApiVersion(copy.apiVersion ?? '').group}/${copy.kind ?? ''}`;
  BY_KIND[kind]?.(copy);
  if (options.scaled && isRecord(copy.spec)) delete copy.spec.replicas;
  return copy;
}

const BY_KIND: Readonly<Record<string, (object: Unstructured) => void>> = {
  '/Secret': secret,
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': webhooks,
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': webhooks,
  'apiregistration.k8s.io/APIService': (object) => {
    if (isRecord(object.spec)) delete object.spec.caBundle;
  },
  'apiextensions.k8s.io/CustomResourceDefinition': definition,
  'rbac.authorization.k8s.io/ClusterRole': (object) => {
    if (object.aggregationRule) delete object.rules;
  },
  '/Service': (object) => {
    if (isRecord(object.spec) && object.spec.clusterIP === '') delete object.spec.clusterIP;
  },
};

/** `stringData` is written as `data` and never read back. */
function secret(object: Unstructured): void {
  if (!isRecord(object.stringData)) return;
  const encoded = Object.entries(object.stringData).map(([key, value]) => [key, base64Encode(String(value as string | number | boolean))]);
  object.data = { ...(isRecord(object.data) ? object.data : {}), ...Object.fromEntries(encoded) };
  delete object.stringData;
}

function webhooks(object: Unstructured): void {
  for (const webhook of Array.isArray(object.webhooks) ? (object.webhooks as unknown[]) : []) {
    if (isRecord(webhook) && isRecord(webhook.clientConfig)) delete webhook.clientConfig.caBundle;
  }
}

function definition(object: Unstructured): void {
  const conversion = isRecord(object.spec) ? object.spec.conversion : undefined;
  const webhook = isRecord(conversion) ? conversion.webhook : undefined;
  const client = isRecord(webhook) ? webhook.clientConfig : undefined;
  if (isRecord(client)) delete client.caBundle;
}
