/** Virtual time: callbacks in the order of their time, then of their making. A binary heap, because seeds come by the hundred thousand. */

interface Entry {
  atMs: number;
  order: number;
  run: () => void;
}

export class Scheduler {
  nowMs = 0;
  #heap: Entry[] = [];
  #order = 0;

  at(atMs: number, run: () => void): void {
    const entry = { atMs: Math.max(atMs, this.nowMs), order: this.#order++, run };
    let i = this.#heap.push(entry) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(entry, this.#heap[parent] as Entry)) break;
      this.#heap[i] = this.#heap[parent] as Entry;
      i = parent;
    }
    this.#heap[i] = entry;
  }

  after(delayMs: number, run: () => void): void {
    this.at(this.nowMs + delayMs, run);
  }

  runUntil(untilMs: number): void {
    while (this.#heap.length > 0 && (this.#heap[0] as Entry).atMs <= untilMs) {
      const next = this.#pop();
      this.nowMs = next.atMs;
      next.run();
    }
    this.nowMs = untilMs;
  }

  #pop(): Entry {
    const top = this.#heap[0] as Entry;
    const last = this.#heap.pop() as Entry;
    const size = this.#heap.length;
    if (size === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= size) break;
      if (child + 1 < size && before(this.#heap[child + 1] as Entry, this.#heap[child] as Entry)) child++;
      if (!before(this.#heap[child] as Entry, last)) break;
      this.#heap[i] = this.#heap[child] as Entry;
      i = child;
    }
    this.#heap[i] = last;
    return top;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
