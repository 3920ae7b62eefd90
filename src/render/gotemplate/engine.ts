/**
 * A set of templates and what they may call. The engine adds `include` and `tpl`, which need the set itself;
 * every other function comes in a table.
 */
import type { Tree } from './ast.ts';
import { isEmptyTree } from './ast.ts';
import { BUILTINS } from './builtins.ts';
import { FunctionError, isStackOverflow, RenderLimitError, TemplateParseError } from './errors.ts';
import { execute, type Environment, type Meters, type MissingKey } from './exec.ts';
import { fn, type FunctionTable } from './functions.ts';
import { parseTemplate } from './parse.ts';
import { DEFAULT_RENDER_LIMITS, type RenderLimits } from './types.ts';
import type { GoFunction } from './value.ts';

/** Parsed templates by name and text; one may serve many renders, because trees are never changed. */
export class ParseCache {
  private readonly trees = new Map<string, Map<string, readonly Tree[]>>();
  private characters = 0;
  private readonly charactersMax: number;

  constructor(charactersMax = 32 * 1024 * 1024) {
    this.charactersMax = charactersMax;
  }

  get(name: string, source: string): readonly Tree[] | undefined {
    return this.trees.get(name)?.get(source);
  }

  set(name: string, source: string, trees: readonly Tree[]): void {
    this.characters += source.length;
    if (this.characters > this.charactersMax) {
      this.trees.clear();
      this.characters = source.length;
    }
    const known = this.trees.get(name);
    if (known) known.set(source, trees);
    else this.trees.set(name, new Map([[source, trees]]));
  }
}

export interface EngineOptions {
  functions: FunctionTable;
  /** Methods of named Go types that are maps or lists. */
  methods?: Environment['methods'];
  missingKey?: MissingKey;
  limits?: Partial<RenderLimits>;
  cache?: ParseCache;
  /** Adds Helm's `include` and `tpl`. */
  helm?: boolean;
}

export class Engine {
  private readonly templates = new Map<string, Tree>();
  private readonly functions = new Map<string, GoFunction>();
  private readonly cache: ParseCache;
  private readonly meters: Meters;
  private readonly methods: Environment['methods'];
  private readonly missingKey: MissingKey;
  private depth = 0;

  constructor(options: EngineOptions) {
    this.cache = options.cache ?? new ParseCache();
    this.meters = { steps: 0, bytes: 0, limits: { ...DEFAULT_RENDER_LIMITS, ...options.limits } };
    this.methods = options.methods ?? (() => undefined);
    this.missingKey = options.missingKey ?? 'invalid';
    for (const table of [BUILTINS, options.functions]) {
      for (const [name, value] of Object.entries(table)) this.functions.set(name, value);
    }
    if (options.helm) this.addHelm(this.functions, this.templates);
  }

  /** Adds the templates of `source`. Throws {@link TemplateParseError}. */
  parse(name: string, source: string): void {
    this.addTo(this.templates, name, source);
  }

  has(name: string): boolean {
    return this.templates.has(name);
  }

  /** The text of a template over `data`. Throws TemplateExecError or {@link RenderLimitError}. */
  execute(name: string, data: unknown): string {
    return execute(this.environment(this.templates, this.functions, this.missingKey), name, data);
  }

  private environment(templates: Map<string, Tree>, functions: ReadonlyMap<string, GoFunction>, missingKey: MissingKey): Environment {
    return { templates, functions, missingKey, meters: this.meters, methods: this.methods };
  }

  private addTo(templates: Map<string, Tree>, name: string, source: string): void {
    let trees = this.cache.get(name, source);
    if (!trees) {
      trees = parseTemplate(name, source, (fnName) => this.functions.has(fnName));
      this.cache.set(name, source, trees);
    }
    for (const tree of trees) {
      // An empty definition never replaces one with content.
      if (!templates.has(tree.name) || !isEmptyTree(tree.root)) templates.set(tree.name, tree);
    }
  }

  private enter<T>(what: string, work: () => T): T {
    if (++this.depth > this.meters.limits.callDepthMax) throw new RenderLimitError(`${what}: more than ${this.meters.limits.callDepthMax} nested calls`);
    try {
      return work();
    } finally {
      this.depth--;
    }
  }

  private addHelm(functions: Map<string, GoFunction>, templates: Map<string, Tree>, missingKey: MissingKey = this.missingKey): void {
    const environment = this.environment(templates, functions, missingKey);
    functions.set(
      'include',
      fn(['string', 'any'], (name: string, data: unknown) => this.enter(`include ${name}`, () => execute(environment, name, data))),
    );
    functions.set(
      'tpl',
      fn(['string', 'any'], (source: string, data: unknown) => this.enter('tpl', () => this.tpl({ templates, functions, source, data }))),
    );
  }

  /** Renders a text that came out of values; what it defines is not seen outside. */
  private tpl({ templates, functions, source, data }: { templates: Map<string, Tree>; functions: Map<string, GoFunction>; source: string; data: unknown }): string {
    if (!source.includes('{{')) return source.replaceAll('<no value>', '');
    const own = new Map(templates);
    const ownFunctions = new Map(functions);
    const missingKey = this.missingKey === 'error' ? 'error' : 'zero';
    this.addHelm(ownFunctions, own, missingKey);
    try {
      this.addTo(own, TPL_NAME, source);
    } catch (error) {
      if (error instanceof TemplateParseError) throw causedBy(new FunctionError(`cannot parse template ${JSON.stringify(source)}: ${error.message}`), error);
      throw error;
    }
    const environment = this.environment(own, ownFunctions, missingKey);
    try {
      return execute(environment, TPL_NAME, data).replaceAll('<no value>', '');
    } catch (error) {
      if (error instanceof RenderLimitError || error instanceof RangeError || isStackOverflow(error) || !(error instanceof Error)) throw error;
      throw causedBy(new FunctionError(`error during tpl function execution for ${JSON.stringify(source)}: ${error.message}`), error);
    }
  }
}

function causedBy(error: FunctionError, cause: Error): FunctionError {
  error.cause = cause;
  return error;
}

/** The name Helm's engine gives its template set, and thereby every `tpl` text. */
const TPL_NAME = 'gotpl';
