/** What one deployment reports upwards. */
import type { BundleState, ModifiedStatus, NonReadyStatus } from '#api/fleet';

export interface Report {
  /** How it is named in nonReadyResources: the cluster for a Bundle, the bundle for a Cluster. */
  name: string;
  state: BundleState;
  message: string;
  modified: readonly ModifiedStatus[];
  nonReady: readonly NonReadyStatus[];
}
