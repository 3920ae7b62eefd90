/**
 * Execution of parsed templates: Go's text/template evaluation rules over the values of value.ts.
 *
 * The two absences of Go are kept apart, because templates can tell them: `null` is a nil interface (a map
 * entry that is missing or nil), on which a further field is an error; `undefined` is no value at all (a nil
 * that went through a pipeline), on which a further field is again no value.
 *
 * Every loop pays steps and every byte of output is counted, so that no template runs or grows for ever.
 */
import type { AnyNode, BranchNode, ChainNode, CommandNode, FieldNode, IdentifierNode, ListNode, OperandNode, PipeNode, StatementNode, TemplateCallNode, Tree, VariableNode } from './ast.ts';
import { nodeText } from './ast.ts';
import { FunctionError, isStackOverflow, RenderLimitError, TemplateExecError } from './errors.ts';
import { formatValue } from './format.ts';
import { assignable, literalFor, type LiteralNode } from './params.ts';
import { timeMethods } from './sprig/dates.ts';
import { intPairs, listPairs } from './iterate.ts';
import type { RenderLimits } from './types.ts';
import { elementType, getKey, GoInt, type GoFunction, GoStruct, isMap, isTrue, sortedKeys, typeName, zeroOf } from './value.ts';

export type MissingKey = 'zero' | 'error' | 'invalid';

/** What all templates of one render share: meters and the methods of named Go types. */
export interface Meters {
  steps: number;
  bytes: number;
  readonly limits: RenderLimits;
}

export interface Environment {
  templates: Map<string, Tree>;
  functions: ReadonlyMap<string, GoFunction>;
  /** Methods of typed maps and arrays, by type name then method name. */
  methods: (goType: string, method: string, receiver: object) => GoFunction | undefined;
  missingKey: MissingKey;
  meters: Meters;
}

const MISSING = Symbol('no final argument');
type Flow = 'next' | 'break' | 'continue';

/** Nested `{{template}}` calls of one execution. */
const TEMPLATE_DEPTH_MAX = 100_000;

/** The text of template `name` over `data`. Throws {@link TemplateExecError}, {@link RenderLimitError}. */
export function execute(env: Environment, name: string, data: unknown): string {
  const tree = env.templates.get(name);
  if (!tree) throw new TemplateExecError(`template: no template ${JSON.stringify(name)} associated with template ${JSON.stringify('gotpl')}`);
  const out: string[] = [];
  const dot = data === null ? undefined : data;
  try {
    new Execution({ env, tree, out, dot, depth: 0 }).run(dot);
  } catch (error) {
    if (isStackOverflow(error)) throw new RenderLimitError(`template ${name}: calls nest too deep`);
    throw error;
  }
  return out.join('');
}

interface ExecutionOptions {
  env: Environment;
  tree: Tree;
  out: string[];
  dot: unknown;
  depth: number;
}

class Execution {
  private readonly env: Environment;
  private readonly tree: Tree;
  private readonly out: string[];
  private readonly depth: number;
  private readonly names: string[] = ['$'];
  private readonly values: unknown[];
  private node: AnyNode | undefined;

  constructor({ env, tree, out, dot, depth }: ExecutionOptions) {
    this.env = env;
    this.tree = tree;
    this.out = out;
    this.depth = depth;
    this.values = [dot];
  }

  run(dot: unknown): void {
    this.list(dot, this.tree.root);
  }

  private fail(reason: string): never {
    const context = this.node ? ` at <${nodeText(this.node)}>` : '';
    throw new TemplateExecError(`template: ${this.location()}: executing ${JSON.stringify(this.tree.name)}${context}: ${reason}`);
  }

  private location(): string {
    if (!this.node) return this.tree.parseName;
    const before = this.tree.source.slice(0, this.node.pos);
    const lineStart = before.lastIndexOf('\n') + 1;
    const column = new TextEncoder().encode(before.slice(lineStart)).length;
    return `${this.tree.parseName}:${before.split('\n').length}:${column}`;
  }

  private step(): void {
    const meters = this.env.meters;
    if (++meters.steps > meters.limits.stepsMax) throw new RenderLimitError(`template ${this.tree.name}: more than ${meters.limits.stepsMax} steps`);
  }

  private grow(length: number): void {
    const meters = this.env.meters;
    meters.bytes += length;
    if (meters.bytes > meters.limits.outputBytesMax) throw new RenderLimitError(`template ${this.tree.name}: more than ${meters.limits.outputBytesMax} bytes of text`);
  }

  private write(text: string): void {
    this.grow(text.length);
    this.out.push(text);
  }

  private list(dot: unknown, list: ListNode): Flow {
    for (const node of list.nodes) {
      const flow = this.statement(dot, node);
      if (flow !== 'next') return flow;
    }
    return 'next';
  }

  private statement(dot: unknown, node: StatementNode): Flow {
    this.step();
    switch (node.type) {
      case 'text':
        this.write(node.text);
        return 'next';
      case 'action':
        this.action(dot, node.pipe);
        return 'next';
      case 'if':
      case 'with':
        return this.branch(dot, node);
      case 'range':
        return this.range(dot, node);
      case 'template':
        this.templateCall(dot, node);
        return 'next';
      default:
        return node.type;
    }
  }

  private action(dot: unknown, pipe: PipeNode): void {
    const value = this.pipeline(dot, pipe);
    if (pipe.declarations.length > 0) return;
    this.node = pipe;
    this.write(typeof value === 'string' ? value : value === undefined || value === null ? '<no value>' : formatValue(value));
  }

  private branch(dot: unknown, node: BranchNode): Flow {
    const mark = this.names.length;
    const value = this.pipeline(dot, node.pipe);
    let flow: Flow = 'next';
    if (isTrue(value)) flow = this.list(node.type === 'with' ? value : dot, node.list);
    else if (node.elseList) flow = this.list(dot, node.elseList);
    this.pop(mark);
    return flow;
  }

  private pop(mark: number): void {
    this.names.length = mark;
    this.values.length = mark;
  }

  private range(dot: unknown, node: BranchNode): Flow {
    const outer = this.names.length;
    const value = this.pipeline(dot, node.pipe);
    const mark = this.names.length;
    const pairs = this.iterable(value, node);
    let ran = false;
    let flow: Flow = 'next';
    for (const [index, element] of pairs) {
      this.step();
      ran = true;
      this.bindRange(node.pipe, index, element);
      flow = this.list(element, node.list);
      this.pop(mark);
      if (flow === 'break') break;
    }
    flow = 'next';
    if (!ran && node.elseList) flow = this.list(dot, node.elseList);
    this.pop(outer);
    return flow;
  }

  private iterable(value: unknown, node: BranchNode): Iterable<readonly [unknown, unknown]> {
    if (value === undefined || value === null) return [];
    if (Array.isArray(value)) return listPairs(value);
    if (value instanceof GoInt) {
      if (node.pipe.declarations.length > 1) this.fail(`can't use ${formatValue(value)} to iterate over more than one variable`);
      return intPairs(value);
    }
    if (value instanceof Uint8Array) return listPairs([...value].map((byte) => new GoInt(byte, 'uint8')));
    if (isMap(value)) return sortedKeys(value).map((key) => [key, value[key]] as const);
    return this.fail(`range can't iterate over ${formatValue(value)}`);
  }

  private bindRange(pipe: PipeNode, index: unknown, element: unknown): void {
    const [first, second] = pipe.declarations;
    if (first === undefined) return;
    const top = this.values.length;
    if (second === undefined) {
      if (pipe.isAssign) this.assign(first, element);
      else this.values[top - 1] = element;
    } else if (pipe.isAssign) {
      this.assign(first, index);
      this.assign(second, element);
    } else {
      this.values[top - 1] = element;
      this.values[top - 2] = index;
    }
  }

  private templateCall(dot: unknown, node: TemplateCallNode): void {
    this.node = node;
    const tree = this.env.templates.get(node.name);
    if (!tree) this.fail(`template ${JSON.stringify(node.name)} not defined`);
    if (this.depth >= TEMPLATE_DEPTH_MAX) this.fail(`exceeded maximum template depth (${TEMPLATE_DEPTH_MAX})`);
    const argument = node.pipe ? this.pipeline(dot, node.pipe) : undefined;
    new Execution({ env: this.env, tree, out: this.out, dot: argument, depth: this.depth + 1 }).run(argument);
  }

  private assign(name: string, value: unknown): void {
    const index = this.names.lastIndexOf(name);
    if (index < 0) this.fail(`undefined variable: ${name}`);
    this.values[index] = value;
  }

  private pipeline(dot: unknown, pipe: PipeNode): unknown {
    let value: unknown = MISSING;
    for (const command of pipe.commands) {
      value = this.command(dot, command, value);
      // A nil interface becomes no value once it went through a pipeline.
      if (value === null) value = undefined;
    }
    for (const name of pipe.declarations) {
      if (pipe.isAssign) this.assign(name, value);
      else {
        this.names.push(name);
        this.values.push(value);
      }
    }
    return value;
  }

  private command(dot: unknown, command: CommandNode, final: unknown): unknown {
    const first = command.args[0] as OperandNode;
    this.node = first;
    switch (first.type) {
      case 'field':
        return this.field({ dot, node: first, args: command.args, final });
      case 'chain':
        return this.chain({ dot, node: first, args: command.args, final });
      case 'identifier':
        return this.func({ dot, node: first, args: command.args, final, at: command });
      case 'variable':
        return this.variable({ dot, node: first, args: command.args, final });
      case 'pipe':
        this.notAFunction(command, final);
        return this.pipeline(dot, first);
      default:
    }
    this.notAFunction(command, final);
    return this.literal(dot, first);
  }

  private literal(dot: unknown, node: OperandNode): unknown {
    switch (node.type) {
      case 'bool':
        return node.value;
      case 'dot':
        return dot;
      case 'string':
        return node.text;
      case 'number':
        return node.ideal ?? this.fail(`${node.text} overflows int`);
      default:
        return this.fail('nil is not a command');
    }
  }

  private notAFunction(command: CommandNode, final: unknown): void {
    if (command.args.length > 1 || final !== MISSING) this.fail(`can't give argument to non-function ${nodeText(command.args[0] as OperandNode)}`);
  }

  private field({ dot, node, args, final }: Call<FieldNode>): unknown {
    this.node = node;
    return this.fieldChain({ dot, receiver: dot, names: node.names, node, args, final });
  }

  private chain({ dot, node, args, final }: Call<ChainNode>): unknown {
    this.node = node;
    if (node.node.type === 'nil') this.fail(`indirection through explicit nil in ${nodeText(node)}`);
    const receiver = this.argument(dot, 'any', node.node);
    return this.fieldChain({ dot, receiver: receiver === null ? undefined : receiver, names: node.names, node, args, final });
  }

  private variable({ dot, node, args, final }: Call<VariableNode>): unknown {
    this.node = node;
    const index = this.names.lastIndexOf(node.names[0] as string);
    if (index < 0) this.fail(`undefined variable: ${node.names[0]}`);
    const value = this.values[index];
    if (node.names.length > 1) return this.fieldChain({ dot, receiver: value, names: node.names.slice(1), node, args, final });
    if (args.length > 1 || final !== MISSING) this.fail(`can't give argument to non-function ${node.names[0]}`);
    return value;
  }

  private fieldChain(call: FieldCall): unknown {
    let receiver = call.receiver;
    const last = call.names.length - 1;
    for (let i = 0; i < last; i++) {
      receiver = this.member({ ...call, receiver, args: NO_ARGS, final: MISSING }, call.names[i] as string, i > 0);
    }
    return this.member({ ...call, receiver }, call.names[last] as string, last > 0);
  }

  /** One step of a field chain: a method, a struct field or a map entry. */
  private member(call: FieldCall, name: string, viaInterface: boolean): unknown {
    const { receiver, args, final } = call;
    this.node = call.node;
    if (receiver === undefined) {
      if (this.env.missingKey === 'error') this.fail(`nil data; no entry for key ${JSON.stringify(name)}`);
      return undefined;
    }
    if (receiver === null) this.fail(`nil pointer evaluating interface {}.${name}`);
    const method = this.methodOf(receiver, name);
    if (method) return this.call({ dot: call.dot, fn: method, node: call.node, name, args, final, at: call.node });
    const hasArgs = args.length > 1 || final !== MISSING;
    if (isMap(receiver)) {
      if (hasArgs) this.fail(`${name} is not a method but has arguments`);
      const value = getKey(receiver, name);
      return value === undefined && !Object.hasOwn(receiver, name) ? this.missingEntry(receiver, name) : (value ?? null);
    }
    if (receiver instanceof GoStruct) {
      const fields = receiver.fields();
      if (Object.hasOwn(fields, name)) {
        if (hasArgs) this.fail(`${name} has arguments but cannot be invoked as function`);
        return fields[name];
      }
    }
    return this.fail(`can't evaluate field ${name} in type ${viaInterface ? 'interface {}' : typeName(receiver)}`);
  }

  private missingEntry(map: object, name: string): unknown {
    switch (this.env.missingKey) {
      case 'zero':
        return zeroOf(elementType(map));
      case 'error':
        return this.fail(`map has no entry for key ${JSON.stringify(name)}`);
      default:
        return undefined;
    }
  }

  private methodOf(receiver: unknown, name: string): GoFunction | undefined {
    if (receiver instanceof GoStruct) return receiver.method(name);
    if (receiver instanceof GoInt) return receiver.named === undefined ? undefined : timeMethods(receiver.named, name, receiver);
    if (typeof receiver !== 'object' || receiver === null) return undefined;
    const type = typeName(receiver);
    return type.startsWith('map[') || type.startsWith('[]') ? undefined : this.env.methods(type, name, receiver);
  }

  private func({ dot, node, args, final, at }: Call<IdentifierNode> & { at: AnyNode }): unknown {
    this.node = node;
    const fn = this.env.functions.get(node.name);
    if (!fn) this.fail(`${JSON.stringify(node.name)} is not a defined function`);
    if (node.name === 'and' || node.name === 'or') return this.shortCircuit({ dot, node, args, final });
    return this.call({ dot, fn: fn as GoFunction, node, name: node.name, args, final, at });
  }

  private shortCircuit({ dot, node, args, final }: Call<IdentifierNode>): unknown {
    const count = args.length - 1 + (final === MISSING ? 0 : 1);
    if (count < 1) this.fail(`wrong number of args for ${node.name}: want at least 1 got ${count}`);
    let value: unknown;
    for (const arg of args.slice(1)) {
      value = this.argument(dot, 'value', arg);
      if (isTrue(value) === (node.name === 'or')) return value;
    }
    return final === MISSING ? value : final;
  }

  private call(call: FunctionCall): unknown {
    this.step();
    const { fn, name, at } = call;
    const values = this.callArguments(call);
    let result: unknown;
    try {
      result = (fn.call as (...values: unknown[]) => unknown)(...values);
    } catch (error) {
      this.node = at;
      throw this.callError(name, error);
    }
    if (typeof result === 'string') this.grow(result.length);
    return result;
  }

  private callError(name: string, error: unknown): Error {
    if (error instanceof RenderLimitError) return error;
    if (isStackOverflow(error)) return error as Error;
    if (error instanceof RangeError && (error.message.includes('string length') || error.message.includes('array length'))) return new RenderLimitError(`function ${name}: result too large`);
    if (error instanceof FunctionError || error instanceof TemplateExecError || error instanceof Error) {
      try {
        this.fail(`error calling ${name}: ${error.message}`);
      } catch (wrapped) {
        (wrapped as Error).cause = error;
        return wrapped as Error;
      }
    }
    return error as Error;
  }

  private callArguments({ dot, fn, name, args, final }: FunctionCall): unknown[] {
    const given = args.length - 1;
    const count = Math.max(0, given) + (final === MISSING ? 0 : 1);
    const fixed = fn.variadic ? fn.params.length - 1 : fn.params.length;
    if (fn.variadic && count < fixed) this.fail(`wrong number of args for ${name}: want at least ${fixed} got ${count}`);
    if (!fn.variadic && count !== fixed) this.fail(`wrong number of args for ${name}: want ${fixed} got ${count}`);
    const values: unknown[] = [];
    for (let i = 1; i < args.length; i++) {
      const type = fn.params[Math.min(i - 1, fn.params.length - 1)] as string;
      values.push(this.argument(dot, type, args[i] as OperandNode) ?? null);
    }
    if (final !== MISSING) {
      const type = fn.params[Math.min(values.length, fn.params.length - 1)] as string;
      values.push(this.checked(final, type) ?? null);
    }
    return values;
  }

  /** The value of an operand where a parameter of `type` wants it. */
  private argument(dot: unknown, type: string, node: OperandNode): unknown {
    this.node = node;
    switch (node.type) {
      case 'dot':
        return this.checked(dot, type);
      case 'nil':
        if (!assignable(null, type)) this.fail(`cannot assign nil to ${type}`);
        return null;
      case 'field':
        return this.checked(this.field({ dot, node, args: NO_ARGS, final: MISSING }), type);
      case 'variable':
        return this.checked(this.variable({ dot, node, args: NO_ARGS, final: MISSING }), type);
      case 'pipe':
        return this.checked(this.pipeline(dot, node), type);
      case 'identifier':
        return this.checked(this.func({ dot, node, args: NO_ARGS, final: MISSING, at: node }), type);
      case 'chain':
        return this.checked(this.chain({ dot, node, args: NO_ARGS, final: MISSING }), type);
      default: {
        const result = literalFor(node as LiteralNode, type);
        if (typeof result === 'object' && result !== null && 'problem' in result) this.fail(result.problem as string);
        return (result as { value: unknown }).value;
      }
    }
  }

  private checked(value: unknown, type: string): unknown {
    if (type === 'any' || type === 'value') return value;
    if (value !== undefined && value !== null && assignable(value, type)) return value;
    if (value === undefined) {
      if (assignable(null, type)) return null;
      this.fail(`invalid value; expected ${type}`);
    }
    return this.fail(`wrong type for value; expected ${type}; got ${value === null ? 'interface {}' : typeName(value)}`);
  }
}

const NO_ARGS: readonly OperandNode[] = [];

interface Call<N> {
  dot: unknown;
  node: N;
  /** The operands of the command; the first is the function or field itself. */
  args: readonly OperandNode[];
  /** The value piped in, or MISSING. */
  final: unknown;
}

interface FieldCall extends Call<OperandNode> {
  receiver: unknown;
  names: readonly string[];
}

interface FunctionCall extends Call<OperandNode> {
  fn: GoFunction;
  name: string;
  /** What an error of the call is said to be at. */
  at: AnyNode;
}
