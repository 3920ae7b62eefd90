/** The live configuration of the controllers: the last one that could be read wins (facts/fleet.md §3.7). */
import { type ConfigMap, configMaps } from '#api/builtin';
import { isNotFound } from '#apimachinery/status';
import { errorText, type Log } from '#base/log';
import { type ControllerConfig, parseControllerConfig } from '#controllers/config';
import type { Informer } from '#kube/cache';
import type { Client, Connection } from '#kube/client';
import type { Manager } from '#kube/manager';

const NAME = 'fleet-controller';

export interface LiveConfig {
  current(): ControllerConfig;
  /** How agents reach this manager's API server. */
  endpoint(): { apiServerURL: string; apiServerCA: string };
  /** The ConfigMap; its handlers run after {@link current} tells the new state. */
  readonly informer: Informer<ConfigMap>;
}

/** Reads the ConfigMap now and follows its changes. A missing ConfigMap means: defaults. */
export async function liveConfig(manager: Manager<'upstream'>, client: Client, connection: Connection, options: { namespace: string; log: Log }): Promise<LiveConfig> {
  const { namespace, log } = options;
  const first = await client.get(configMaps, { namespace, name: NAME }).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  let config = parseControllerConfig(first?.data?.config);
  const follow = (text: string | undefined) => {
    try {
      config = parseControllerConfig(text);
    } catch (error) {
      log.warn('configuration ignored', { error: errorText(error) });
    }
  };
  const informer = manager.informer('upstream', { resource: configMaps, namespace, fieldSelector: `metadata.name=${NAME}` });
  informer.addHandler({
    onAdd: (map) => follow(map.data?.config),
    onUpdate: (_previous, map) => follow(map.data?.config),
  });
  return {
    informer,
    current: () => config,
    endpoint: () => ({ apiServerURL: config.apiServerURL || connection.server, apiServerCA: config.apiServerCA || connection.ca || '' }),
  };
}
