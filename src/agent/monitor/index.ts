/**
 * Live objects downstream that belong to bundles: one watch per kind, restricted to objects with the mark of
 * a set. A kind is watched from the moment something of it is deployed (standbys learn kinds from the
 * releases they see), so that a takeover finds full caches.
 */
import type { Unstructured } from '#apimachinery/meta';
import type { Resource } from '#apimachinery/resource';
import type { Clock } from '#base/clock';
import type { Log } from '#base/log';
import { errorText } from '#base/log';
import type { EventHandler, Informer, InformerOptions } from '#kube/cache';
import { NoMatchError, type RestMapper } from '#kube/client';
import type { ObjectReference } from '#kube/apply';

/** Only objects with the mark of a set are watched. Source of the label: wrangler's object sets. */
const SELECTOR = 'objectset.rio.cattle.io/hash';
const SET_ANNOTATION = 'objectset.rio.cattle.io/id';

export interface MonitorDependencies {
  mapper: RestMapper;
  /** A started informer (the manager's). */
  informer(options: InformerOptions<Unstructured>): Informer<Unstructured>;
  clock: Clock;
  log: Log;
}

type Kind = Pick<ObjectReference, 'apiVersion' | 'kind'>;

export class Monitor {
  readonly #deps: MonitorDependencies;
  readonly #watched = new Map<string, Promise<Informer<Unstructured> | undefined>>();
  readonly #ready = new Map<string, Informer<Unstructured>>();
  readonly #waiters = new Set<() => void>();
  #onChange: (setID: string) => void = () => {};

  constructor(deps: MonitorDependencies) {
    this.#deps = deps;
  }

  /** Told the set of every object that changes. One listener. */
  onChange(listener: (setID: string) => void): void {
    this.#onChange = listener;
  }

  /** Starts watches for kinds that have none and waits until they are synced. Kinds the server does not know are left out. */
  async watch(kinds: Iterable<Kind>, signal: AbortSignal): Promise<void> {
    const wanted = [...new Map([...kinds].map((kind) => [textOf(kind), kind])).values()];
    await Promise.all(
      wanted.map(async (kind) => {
        const informer = await this.#informerOf(kind);
        await informer?.waitForSync(signal);
      }),
    );
  }

  /** Starts watches without waiting; for standbys. */
  prepare(kinds: Iterable<Kind>): void {
    for (const kind of kinds) {
      this.#informerOf(kind).catch((error: unknown) => this.#deps.log.warn('kind cannot be watched yet', { kind: textOf(kind), error: errorText(error) }));
    }
  }

  get(reference: ObjectReference): Unstructured | undefined {
    const informer = this.#ready.get(textOf(reference));
    return informer?.get(informer.resource.namespaced ? { name: reference.name, ...(reference.namespace ? { namespace: reference.namespace } : {}) } : { name: reference.name });
  }

  /** Everything alive that carries the mark of this set. */
  ofSet(setID: string): Unstructured[] {
    return [...this.#ready.values()].flatMap((informer) => informer.byIndex('set', setID));
  }

  /** Resolves when the caches show all of these, or after `limitMs`. */
  async waitFor(references: readonly ObjectReference[], limitMs: number): Promise<void> {
    const untilMs = this.#deps.clock.monotonicMs() + limitMs;
    while (references.some((reference) => !this.get(reference)) && this.#deps.clock.monotonicMs() < untilMs) {
      await new Promise<void>((resolve) => {
        const finish = () => {
          timer.cancel();
          this.#waiters.delete(finish);
          resolve();
        };
        const timer = this.#deps.clock.after(untilMs - this.#deps.clock.monotonicMs(), finish);
        this.#waiters.add(finish);
      });
    }
  }

  #informerOf(kind: Kind): Promise<Informer<Unstructured> | undefined> {
    const text = textOf(kind);
    const known = this.#watched.get(text);
    if (known) return known;
    const made = this.#make(kind).catch((error: unknown) => {
      this.#watched.delete(text); // its CRD may be installed later
      if (error instanceof NoMatchError) return undefined;
      throw error;
    });
    this.#watched.set(text, made);
    return made;
  }

  async #make(kind: Kind): Promise<Informer<Unstructured>> {
    const resource: Resource = await this.#deps.mapper.resourceFor(kind);
    const informer = this.#deps.informer({ resource, labelSelector: SELECTOR, indexers: { set: setIndex } });
    informer.addHandler(this.#handler());
    this.#ready.set(textOf(kind), informer);
    return informer;
  }

  #handler(): EventHandler<Unstructured> {
    const changed = (object: Unstructured) => {
      for (const wake of Array.from(this.#waiters)) wake();
      const [setID] = setIndex(object);
      if (setID) this.#onChange(setID);
    };
    return { onAdd: changed, onUpdate: (_previous, current) => changed(current), onDelete: changed };
  }
}

function setIndex(object: Unstructured): string[] {
  const setID = object.metadata.annotations?.[SET_ANNOTATION];
  return setID ? [setID] : [];
}

function textOf({ apiVersion, kind }: Kind): string {
  return `${apiVersion} ${kind}`;
}
