/** Jobs get labels that tie pods to them; DaemonSets count changes of their template. */
import { deepEqual } from '#base/json';
import type { Unstructured } from '#apimachinery/meta';
import type { KindHooks } from './kinds.ts';

interface Workload extends Unstructured {
  spec: {
    manualSelector?: boolean;
    selector?: { matchLabels?: Record<string, string> };
    template?: { metadata?: { labels?: Record<string, string> } };
  };
}

export const jobHooks: KindHooks = {
  generation: 'spec',
  prepareForCreate(object) {
    const job = object as Workload;
    if (!job.spec || job.spec.manualSelector) return;
    const template = (job.spec.template ??= {});
    const uid = job.metadata.uid ?? '';
    const name = job.metadata.name ?? '';
    const inherits = !job.metadata.labels || deepEqual(job.metadata.labels, template.metadata?.labels);
    const labels = {
      ...template.metadata?.labels,
      'batch.kubernetes.io/controller-uid': uid,
      'batch.kubernetes.io/job-name': name,
      'controller-uid': uid,
      'job-name': name,
    };
    template.metadata = { ...template.metadata, labels };
    // The real server's defaults make both label sets one and the same map.
    if (inherits) job.metadata.labels = { ...labels };
    job.spec.selector = { ...job.spec.selector, matchLabels: { ...job.spec.selector?.matchLabels, 'batch.kubernetes.io/controller-uid': uid } };
  },
};

const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

export const daemonSetHooks: KindHooks = {
  generation: 'spec',
  prepareForCreate: (object) => setTemplateGeneration(object, 1),
  prepareForUpdate(object, old) {
    const before = Number(old.metadata.annotations?.[TEMPLATE_GENERATION] ?? 0);
    const same = deepEqual((object as Workload).spec?.template, (old as Workload).spec?.template);
    setTemplateGeneration(object, same ? before : before + 1);
  },
};

function setTemplateGeneration(object: Unstructured, generation: number): void {
  object.metadata.annotations = { ...object.metadata.annotations, [TEMPLATE_GENERATION]: String(generation) };
}
