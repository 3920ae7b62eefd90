/** What every component of the embedded cluster gets in its constructor. */
import type { Clock } from '#base/clock';
import type { Log } from '#base/log';
import type { Random } from '#base/random';
import type { Client } from '#kube/client';
import type { InformerPool } from './informers.ts';

/** The cluster as its own components see it: one client with all rights, one set of informers, time, chance, a log. */
export interface ControlPlane {
  readonly client: Client;
  readonly informers: InformerPool;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}
