/** Pods: phase and quality of service at creation, grace at deletion. */
import { compareQuantities, parseQuantity } from '#apimachinery/quantity';
import type { Unstructured } from '#apimachinery/meta';
import type { KindHooks } from './kinds.ts';

type Resources = { requests?: Record<string, string>; limits?: Record<string, string> };

interface Pod extends Unstructured {
  spec: {
    nodeName?: string;
    terminationGracePeriodSeconds?: number;
    containers?: { resources?: Resources }[];
    initContainers?: { resources?: Resources }[];
  };
  status?: { phase?: string; qosClass?: string; podIP?: string; podIPs?: { ip: string }[]; [field: string]: unknown };
}

export const podHooks: KindHooks = {
  generation: 'spec',
  returnDeletedObject: true,
  prepareForCreate(object) {
    object['status'] = { phase: 'Pending', qosClass: qosClass(object as Pod) };
  },
  prepareForUpdate(object, old, { subresource }) {
    const pod = object as Pod;
    if (subresource !== 'status') return;
    pod.status = { ...pod.status };
    const before = (old as Pod).status;
    if (!pod.status.qosClass && before?.qosClass) pod.status.qosClass = before.qosClass;
    if (pod.status.podIP && !pod.status.podIPs?.some(({ ip }) => ip === pod.status?.podIP)) pod.status.podIPs = [{ ip: pod.status.podIP }];
    else if (!pod.status.podIP && pod.status.podIPs?.[0]) pod.status.podIP = pod.status.podIPs[0].ip;
  },
  gracePeriod(object, requested) {
    const { spec, status } = object as Pod;
    const finished = status?.phase === 'Failed' || status?.phase === 'Succeeded';
    if (!spec.nodeName || finished) return 0;
    const seconds = requested ?? spec.terminationGracePeriodSeconds ?? 0;
    return seconds < 0 ? 1 : seconds;
  },
};

const COMPUTE = ['cpu', 'memory'];

/** Guaranteed, Burstable or BestEffort. Rule: Kubernetes "Pod Quality of Service Classes". */
export function qosClass({ spec }: Pick<Pod, 'spec'>): string {
  const all = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ resources }) => resources ?? {});
  const counted = (list: Record<string, string> | undefined) => COMPUTE.filter((name) => list?.[name] !== undefined && !isZero(list[name]));
  if (all.every(({ requests, limits }) => counted(requests).length + counted(limits).length === 0)) return 'BestEffort';
  const guaranteed = all.every(({ requests, limits }) =>
    COMPUTE.every((name) => {
      const limit = limits?.[name];
      const request = requests?.[name] ?? limit;
      return limit !== undefined && request !== undefined && !isZero(limit) && compareQuantities(parseQuantity(limit), parseQuantity(request)) === 0;
    }),
  );
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

function isZero(text: string): boolean {
  return parseQuantity(text).unscaled === 0n;
}
