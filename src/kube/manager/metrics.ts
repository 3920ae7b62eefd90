/**
 * The manager's metrics under the names controller-runtime and client-go use, so that existing dashboards
 * and alerts work; what is ours alone is prefixed `leader_election_` too.
 */
import { Counter, Gauge, Histogram, type Registry } from '@prometheus-io/client';
import type { ControllerMetrics } from '../controller/index.ts';
import type { ElectionStatus, Term } from '../leaderelection/index.ts';

const SECONDS_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const TAKEOVER_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 3, 4, 5, 6, 7, 10, 15, 30, 60];

export interface ManagerMetrics {
  readonly registry: Registry;
  forController(name: string): ControllerMetrics;
  termStarted(term: Term, gapMs: number): void;
}

/** `status` is asked at each scrape. */
export function createManagerMetrics(name: string, registry: Registry, status: () => ElectionStatus): ManagerMetrics {
  const registers = [registry];
  const reconciles = new Counter({ name: 'controller_runtime_reconcile_total', help: 'Reconciles by outcome.', labelNames: ['controller', 'result'], registers });
  const reconcileSeconds = new Histogram({ name: 'controller_runtime_reconcile_time_seconds', help: 'Duration of reconciles.', labelNames: ['controller'], buckets: SECONDS_BUCKETS, registers });
  const abandoned = new Gauge({ name: 'controller_abandoned_reconciles', help: 'Reconciles that ignore their abort and still run.', labelNames: ['controller'], registers });
  const depth = new Gauge({ name: 'workqueue_depth', help: 'Keys waiting.', labelNames: ['name'], registers });
  const adds = new Counter({ name: 'workqueue_adds_total', help: 'Keys added.', labelNames: ['name'], registers });
  const retries = new Counter({ name: 'workqueue_retries_total', help: 'Keys added after a failure.', labelNames: ['name'], registers });
  const waits = new Histogram({ name: 'workqueue_queue_duration_seconds', help: 'Time from due to handed out.', labelNames: ['name'], buckets: SECONDS_BUCKETS, registers });
  const works = new Histogram({ name: 'workqueue_work_duration_seconds', help: 'Time from handed out to done.', labelNames: ['name'], buckets: SECONDS_BUCKETS, registers });
  const transitions = new Counter({ name: 'leader_election_transitions_total', help: 'Terms won by this process.', labelNames: ['name', 'evidence'], registers });
  const takeover = new Histogram({ name: 'leader_election_takeover_seconds', help: 'From the last sign of the previous holder to our acquisition.', labelNames: ['name', 'evidence'], buckets: TAKEOVER_BUCKETS, registers });
  gaugeOf(registry, { name: 'leader_election_master_status', help: 'Whether this process leads.', of: () => (status().state === 'leading' ? 1 : 0), label: name });
  gaugeOf(registry, { name: 'leader_election_epoch', help: 'leaseTransitions of the lock as last seen.', of: () => status().epoch, label: name });
  gaugeOf(registry, { name: 'leader_election_seconds_since_renewal', help: 'Age of the last renewal seen or made.', of: () => (status().sinceRenewalMs ?? 0) / 1000, label: name });
  return {
    registry,
    forController: (controller) => ({
      reconciled(result, ms) {
        reconciles.inc({ controller, result });
        reconcileSeconds.observe({ controller }, ms / 1000);
      },
      abandoned: (count) => abandoned.set({ controller }, count),
      depth: (waiting) => depth.set({ name: controller }, waiting),
      added: () => adds.inc({ name: controller }),
      retried: () => retries.inc({ name: controller }),
      waited: (ms) => waits.observe({ name: controller }, ms / 1000),
      worked: (ms) => works.observe({ name: controller }, ms / 1000),
    }),
    termStarted({ evidence }, gapMs) {
      transitions.inc({ name, evidence });
      takeover.observe({ name, evidence }, gapMs / 1000);
    },
  };
}

function gaugeOf(registry: Registry, { name, help, of, label }: { name: string; help: string; of: () => number; label: string }): void {
  new Gauge({
    name,
    help,
    labelNames: ['name'],
    registers: [registry],
    collect() {
      this.set({ name: label }, of());
    },
  });
}
