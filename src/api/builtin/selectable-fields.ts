/** Fields that objects of a kind can be selected by. Rule: Kubernetes "Field Selectors"; the registries of Kubernetes 1.36. */
import { getPath } from '#base/json';
import type { Unstructured } from '#apimachinery/meta';

type FieldOf = (object: Unstructured) => string;

/** The value at a path as text; absent is `empty`. */
function at(path: string, empty = ''): FieldOf {
  const steps = path.split('.');
  return (object) => {
    const value = getPath(object, ...steps);
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : empty;
  };
}

const fields = (...paths: string[]): Readonly<Record<string, FieldOf>> => Object.fromEntries(paths.map((path) => [path, at(path)]));

const INVOLVED = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];

/** The component that reported an event stands in one of two places. */
const reporter: FieldOf = (object) => at('source.component')(object) || at('reportingComponent')(object);

export const SELECTABLE_FIELDS: Readonly<Record<string, Readonly<Record<string, FieldOf>>>> = {
  '/Pod': {
    ...fields('spec.nodeName', 'spec.restartPolicy', 'spec.schedulerName', 'spec.serviceAccountName', 'status.phase', 'status.podIP', 'status.nominatedNodeName'),
    'spec.hostNetwork': at('spec.hostNetwork', 'false'),
  },
  '/Node': { 'spec.unschedulable': at('spec.unschedulable', 'false') },
  '/Namespace': { ...fields('status.phase'), name: at('metadata.name') },
  '/Secret': fields('type'),
  '/Service': fields('spec.clusterIP', 'spec.type'),
  '/PersistentVolume': { name: at('metadata.name') },
  '/PersistentVolumeClaim': { name: at('metadata.name') },
  '/ReplicationController': { 'status.replicas': at('status.replicas', '0') },
  '/Event': { ...fields(...INVOLVED.map((name) => `involvedObject.${name}`), 'reason', 'reportingComponent', 'type'), source: reporter },
  'events.k8s.io/Event': { ...fields(...INVOLVED.map((name) => `regarding.${name}`), 'reason', 'reportingController', 'type') },
  'apps/ReplicaSet': { 'status.replicas': at('status.replicas', '0') },
  'batch/Job': { 'status.successful': at('status.succeeded', '0') },
  'certificates.k8s.io/CertificateSigningRequest': fields('spec.signerName'),
  'resource.k8s.io/ResourceSlice': fields('spec.nodeName', 'spec.driver'),
};
