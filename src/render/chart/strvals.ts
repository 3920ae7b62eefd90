/**
 * Helm's `--set` language: `a.b=1,list[0]=x,name={a,b},key\.with\.dots=v`. Numbers without leading zeros are
 * int64, `true`, `false` and `null` are themselves, everything else is text (helm.sh/docs, "The Format and
 * Limitations of --set").
 */
import { int64, isMap, setKey } from '#render/gotemplate';
import { ChartError } from './error.ts';
import type { Values } from './types.ts';

const INDEX_MAX = 65_536;
const DEPTH_MAX = 30;

export interface SetOptions {
  /** `--set-string`: every value is text. */
  asText?: boolean;
}

/** Changes `values`. Throws {@link ChartError} for a text that is not of this language. */
export function parseSet(text: string, values: Values, options: SetOptions = {}): void {
  new SetParser(text, options.asText ?? false).run(values);
}

class SetParser {
  private pos = 0;
  private readonly text: string;
  private readonly asText: boolean;

  constructor(text: string, asText: boolean) {
    this.text = text;
    this.asText = asText;
  }

  run(values: Values): void {
    while (this.pos < this.text.length) this.key(values, 0);
  }

  private fail(reason: string): never {
    throw new ChartError(`failed parsing --set data: ${reason}`);
  }

  /** Text up to one of `stops`, backslashes removed; the stop is consumed and returned. */
  private until(stops: string): { text: string; stop: string } {
    let out = '';
    for (; this.pos < this.text.length; this.pos++) {
      const char = this.text[this.pos] as string;
      if (stops.includes(char)) {
        this.pos++;
        return { text: out, stop: char };
      }
      if (char === '\\') {
        this.pos++;
        if (this.pos >= this.text.length) break;
      }
      out += this.text[this.pos];
    }
    return { text: out, stop: '' };
  }

  private key(map: Values, depth: number): void {
    if (depth > DEPTH_MAX) this.fail(`value name nested level is greater than maximum supported nested level of ${DEPTH_MAX}`);
    const { text: name, stop } = this.until('=[,.');
    switch (stop) {
      case '':
        if (name === '') return;
        return this.fail(`key ${JSON.stringify(name)} has no value`);
      case '=':
        return setKey(map, name, this.value());
      case '[': {
        const list = Array.isArray(map[name]) ? [...(map[name] as unknown[])] : [];
        const index = this.index();
        setKey(map, name, this.item(list, index, depth));
        return;
      }
      case ',':
        setKey(map, name, '');
        return this.fail(`key ${JSON.stringify(name)} has no value (cannot end with ,)`);
      default: {
        const inner = isMap(map[name]) ? (map[name] as Values) : {};
        setKey(map, name, inner);
        this.key(inner, depth + 1);
        if (Object.keys(inner).length === 0) this.fail(`key map ${JSON.stringify(name)} has no value`);
      }
    }
  }

  private index(): number {
    const { text, stop } = this.until(']');
    if (stop === '' || !/^[+-]?[0-9]+$/.test(text)) this.fail(`error parsing index: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
    const index = Number(text);
    if (index < 0) this.fail(`negative ${index} index not allowed`);
    if (index > INDEX_MAX) this.fail(`index of ${index} is greater than maximum supported index of ${INDEX_MAX}`);
    return index;
  }

  private item(list: unknown[], index: number, depth: number): unknown[] {
    const { text, stop } = this.until('[.=');
    if (text !== '') this.fail(`unexpected data at end of array index: ${JSON.stringify(text)}`);
    while (list.length <= index) list.push(null);
    if (stop === '=') list[index] = this.value();
    else if (stop === '[') {
      const inner = Array.isArray(list[index]) ? [...(list[index] as unknown[])] : [];
      list[index] = this.item(inner, this.index(), depth + 1);
    } else if (stop === '.') {
      const inner = isMap(list[index]) ? (list[index] as Values) : {};
      this.key(inner, depth + 1);
      list[index] = inner;
    }
    return list;
  }

  private value(): unknown {
    if (this.text[this.pos] === '{') {
      this.pos++;
      return this.list();
    }
    const raw = this.until(',').text;
    return this.typed(raw);
  }

  private list(): unknown[] {
    const items: unknown[] = [];
    for (;;) {
      const { text, stop } = this.until(',}');
      if (stop === '') this.fail('list must terminate with \'}\'');
      items.push(this.typed(text));
      if (stop === '}') break;
    }
    if (this.text[this.pos] === ',') this.pos++;
    return items;
  }

  private typed(text: string): unknown {
    if (this.asText) return text;
    if (/^true$/i.test(text)) return true;
    if (/^false$/i.test(text)) return false;
    if (/^null$/i.test(text)) return null;
    if (text === '0') return int64(0);
    if (/^[+-]?[1-9][0-9]*$/.test(text)) {
      const value = BigInt(text);
      if (value >= -(2n ** 63n) && value < 2n ** 63n) return int64(value);
    }
    return text;
  }
}
