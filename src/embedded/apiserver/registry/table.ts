/**
 * The resources a server serves: builtin kinds for its whole life, kinds of CustomResourceDefinitions as they
 * come and go. `version` changes with every change, so that discovery documents can be cached.
 */
import type { ResourceType } from './types.ts';

export class ResourceTable {
  readonly #byPath = new Map<string, ResourceType>();
  readonly #byKind = new Map<string, ResourceType>();
  /** Grows with every change of the table. */
  version = 0;

  add(type: ResourceType): void {
    this.#byPath.set(pathKey(type.group, type.version, type.plural), type);
    this.#byKind.set(pathKey(type.group, type.version, type.kind), type);
    this.version++;
  }

  remove(type: Pick<ResourceType, 'group' | 'version' | 'plural' | 'kind'>): void {
    this.#byPath.delete(pathKey(type.group, type.version, type.plural));
    this.#byKind.delete(pathKey(type.group, type.version, type.kind));
    this.version++;
  }

  get(group: string, version: string, plural: string): ResourceType | undefined {
    return this.#byPath.get(pathKey(group, version, plural));
  }

  byKind(group: string, version: string, kind: string): ResourceType | undefined {
    return this.#byKind.get(pathKey(group, version, kind));
  }

  /** Any served version of a resource. */
  find(group: string, plural: string): ResourceType | undefined {
    return this.all().find((type) => type.group === group && type.plural === plural);
  }

  all(): ResourceType[] {
    return [...this.#byPath.values()];
  }

  hasGroup(group: string): boolean {
    return this.all().some((type) => type.group === group);
  }

  /** Groups of the server itself answer for paths they do not have; those of definitions do not. */
  hasBuiltinGroup(group: string): boolean {
    return this.all().some((type) => type.group === group && !type.custom);
  }

  hasVersion(group: string, version: string): boolean {
    return this.all().some((type) => type.group === group && type.version === version);
  }
}

function pathKey(group: string, version: string, name: string): string {
  return `${group}/${version}/${name}`;
}
