/** How one live object stands. */
import type { ObjectSummary } from '#api/fleet';

/** `ready` false means the object counts into nonReadyStatus; `summary` says how to show it. */
export interface Health {
  ready: boolean;
  summary: Required<ObjectSummary>;
}
