/**
 * Tokens to trees, by the grammar of Go's text/template. A parse yields every template the text defines;
 * names and functions are checked here, so that execution meets only what exists.
 */
import type { BranchNode, CommandNode, IdentifierNode, ListNode, OperandNode, PipeNode, StatementNode, TemplateCallNode, Tree } from './ast.ts';
import { isEmptyTree, nodeText } from './ast.ts';
import { TemplateParseError } from './errors.ts';
import { lex, type Token } from './lex.ts';
import { parseCharConstant, parseNumber, unquote } from './literals.ts';

export const PARSE_LIMITS = {
  /** Nested parentheses and control structures. */
  depthMax: 1000,
};

/** The trees of `source`: the one named `name` and every `define` and `block` in it. */
export function parseTemplate(name: string, source: string, hasFunction: (name: string) => boolean): Tree[] {
  return new Parser(name, source, hasFunction).run();
}

/** How an item list ended. */
type ListEnd = { kind: 'end' | 'else' | 'eof'; token: Token };

class Parser {
  private readonly tokens: readonly Token[];
  private next = 0;
  private variables: string[] = ['$'];
  private rangeDepth = 0;
  private depth = 0;
  private readonly trees = new Map<string, Tree>();
  private readonly name: string;
  private readonly source: string;
  private readonly hasFunction: (name: string) => boolean;

  constructor(name: string, source: string, hasFunction: (name: string) => boolean) {
    this.name = name;
    this.source = source;
    this.hasFunction = hasFunction;
    this.tokens = lex(source);
  }

  run(): Tree[] {
    const root: ListNode = { type: 'list', pos: 0, nodes: [] };
    while (this.peek().type !== 'eof') {
      const node = this.topLevel();
      if (node) root.nodes.push(node);
    }
    this.add({ name: this.name, parseName: this.name, source: this.source, root });
    return [...this.trees.values()];
  }

  private topLevel(): StatementNode | undefined {
    if (this.peek().type === 'open' && this.isKeyword(this.peekAction(), 'define')) {
      this.take();
      this.takeSolid();
      this.define();
      return undefined;
    }
    const result = this.textOrAction();
    if ('end' in result) this.fail(`unexpected {{${result.end.kind}}}`, result.end.token);
    return result.node;
  }

  private peekAction(): Token {
    let index = this.next + 1;
    while (this.tokens[index]?.type === 'space') index++;
    return this.tokens[index] as Token;
  }

  private isKeyword(token: Token | undefined, word: string): boolean {
    return token?.type === 'keyword' && token.text === word;
  }

  private fail(reason: string, token: Token = this.tokens[Math.max(0, this.next - 1)] as Token): never {
    throw new TemplateParseError(this.name, token.line, reason);
  }

  private unexpected(token: Token, context: string): never {
    if (token.type === 'error') this.fail(token.text, token);
    this.fail(`unexpected ${tokenText(token)} in ${context}`, token);
  }

  private peek(): Token {
    return this.tokens[this.next] as Token;
  }

  private take(): Token {
    const token = this.tokens[this.next] as Token;
    if (token.type === 'error') this.fail(token.text, token);
    if (token.type !== 'eof') this.next++;
    return token;
  }

  private peekSolid(): Token {
    while (this.peek().type === 'space') this.next++;
    return this.peek();
  }

  private takeSolid(): Token {
    this.peekSolid();
    return this.take();
  }

  private expect(type: Token['type'], context: string): Token {
    const token = this.takeSolid();
    if (token.type !== type) this.unexpected(token, context);
    return token;
  }

  private nest<T>(work: () => T): T {
    if (++this.depth > PARSE_LIMITS.depthMax) this.fail(`nested deeper than ${PARSE_LIMITS.depthMax}`);
    const result = work();
    this.depth--;
    return result;
  }

  private add(tree: Tree): void {
    const known = this.trees.get(tree.name);
    if (!known || isEmptyTree(known.root)) this.trees.set(tree.name, tree);
    else if (!isEmptyTree(tree.root)) this.fail(`template: multiple definition of template ${JSON.stringify(tree.name)}`);
  }

  private define(): void {
    const name = this.templateName('define clause');
    this.expect('close', 'define clause');
    this.subtree(name, 'define');
  }

  /** The body of a define or block, with variables and loops of its own. */
  private subtree(name: string, context: string): void {
    const outer = { variables: this.variables, rangeDepth: this.rangeDepth };
    this.variables = ['$'];
    this.rangeDepth = 0;
    const { list, end } = this.itemList();
    if (end.kind !== 'end') this.fail(`unexpected {{${end.kind}}} in ${context} clause`, end.token);
    this.variables = outer.variables;
    this.rangeDepth = outer.rangeDepth;
    this.add({ name, parseName: this.name, source: this.source, root: list });
  }

  private templateName(context: string): string {
    const token = this.takeSolid();
    if (token.type === 'rawString') return token.text.slice(1, -1);
    if (token.type !== 'string') this.unexpected(token, context);
    return unquote(token.text) ?? this.fail('invalid syntax', token);
  }

  private itemList(): { list: ListNode; end: ListEnd } {
    return this.nest(() => {
      const list: ListNode = { type: 'list', pos: this.peek().pos, nodes: [] };
      while (this.peek().type !== 'eof') {
        const result = this.textOrAction();
        if ('end' in result) return { list, end: result.end };
        list.nodes.push(result.node);
      }
      return this.fail('unexpected EOF', this.peek());
    });
  }

  private textOrAction(): { node: StatementNode } | { end: ListEnd } {
    const token = this.take();
    if (token.type === 'text') return { node: { type: 'text', pos: token.pos, text: token.text } };
    if (token.type === 'open') return this.action();
    return this.unexpected(token, 'input');
  }

  private action(): { node: StatementNode } | { end: ListEnd } {
    const token = this.peekSolid();
    if (token.type === 'keyword' && token.text !== 'nil') {
      this.take();
      return this.keyword(token);
    }
    const pipe = this.pipeline('command', 'close');
    return { node: { type: 'action', pos: token.pos, pipe } };
  }

  /** Runs `work`; variables it declares vanish again. */
  private scoped<T>(work: () => T): T {
    const count = this.variables.length;
    const result = work();
    this.variables.length = count;
    return result;
  }

  private keyword(token: Token): { node: StatementNode } | { end: ListEnd } {
    switch (token.text) {
      case 'if':
      case 'with':
      case 'range':
        return { node: this.branch(token.text, token) };
      case 'template':
        return { node: this.templateCall() };
      case 'block':
        return { node: this.block(token) };
      case 'break':
      case 'continue':
        return { node: this.jump(token.text, token) };
      case 'end':
        this.expect('close', 'end');
        return { end: { kind: 'end', token } };
      case 'else':
        return this.elseClause(token);
      default:
        return this.fail(`unexpected {{${token.text}}}`, token);
    }
  }

  private elseClause(token: Token): { end: ListEnd } {
    const following = this.peekSolid();
    // `{{else if}}` and `{{else with}}` stay in the stream: the branch that reads this end goes on with them.
    if (!this.isKeyword(following, 'if') && !this.isKeyword(following, 'with')) this.expect('close', 'else');
    return { end: { kind: 'else', token } };
  }

  private jump(kind: 'break' | 'continue', token: Token): StatementNode {
    const close = this.takeSolid();
    if (close.type !== 'close') this.unexpected(close, `{{${kind}}}`);
    if (this.rangeDepth === 0) this.fail(`{{${kind}}} outside {{range}}`, token);
    return { type: kind, pos: token.pos };
  }

  private branch(kind: BranchNode['type'], token: Token): BranchNode {
    return this.nest(() =>
      this.scoped(() => {
        const pipe = this.pipeline(kind, 'close');
        if (kind === 'range') this.rangeDepth++;
        const { list, end } = this.itemList();
        if (kind === 'range') this.rangeDepth--;
        const elseList = end.kind === 'else' ? this.elseList(kind) : undefined;
        return { type: kind, pos: token.pos, pipe, list, elseList };
      }),
    );
  }

  private elseList(kind: BranchNode['type']): ListNode {
    const following = this.peekSolid();
    if (following.type === 'keyword' && kind !== 'range' && following.text === kind) {
      this.take();
      return { type: 'list', pos: following.pos, nodes: [this.branch(kind, following)] };
    }
    // A keyword here is still inside `{{else …`, where only the branch's own may stand.
    if (following.type === 'keyword') this.unexpected(following, 'input');
    const { list, end } = this.itemList();
    if (end.kind !== 'end') this.fail(`expected end; found {{${end.kind}}}`, end.token);
    return list;
  }

  private templateCall(): TemplateCallNode {
    const { pos } = this.peekSolid();
    const name = this.templateName('template clause');
    const pipe = this.optionalPipe('template clause');
    return { type: 'template', pos, name, pipe };
  }

  private optionalPipe(context: string): PipeNode | undefined {
    if (this.peekSolid().type === 'close') {
      this.take();
      return undefined;
    }
    return this.pipeline(context, 'close');
  }

  private block(token: Token): TemplateCallNode {
    const name = this.templateName('block clause');
    const pipe = this.pipeline('block clause', 'close');
    this.subtree(name, 'block clause');
    return { type: 'template', pos: token.pos, name, pipe };
  }

  private pipeline(context: string, end: 'close' | ')'): PipeNode {
    return this.nest(() => {
      const pipe: PipeNode = { type: 'pipe', pos: this.peekSolid().pos, isAssign: false, declarations: [], commands: [] };
      this.declarations(pipe, context);
      for (;;) {
        const token = this.takeSolid();
        if (token.type === end) {
          this.checkPipeline(pipe, context);
          return pipe;
        }
        if (!startsOperand(token)) this.unexpected(token, context);
        this.next--;
        pipe.commands.push(this.command());
      }
    });
  }

  private declarations(pipe: PipeNode, context: string): void {
    for (;;) {
      const variable = this.peekSolid();
      if (variable.type !== 'variable') return;
      const start = this.next;
      this.take();
      const following = this.peekSolid();
      if (following.type === 'assign' || following.type === 'declare') {
        this.take();
        pipe.isAssign = following.type === 'assign';
        pipe.declarations.push(variable.text);
        this.variables.push(variable.text);
        return;
      }
      if (following.type !== 'char' || following.text !== ',') {
        this.next = start;
        return;
      }
      this.take();
      pipe.declarations.push(variable.text);
      this.variables.push(variable.text);
      if (context !== 'range' || pipe.declarations.length >= 2) this.fail(`too many declarations in ${context}`);
      const after = this.peekSolid();
      if (after.type === 'close' || after.type === ')') return;
      if (after.type !== 'variable') this.fail('range can only initialize variables');
    }
  }

  private checkPipeline(pipe: PipeNode, context: string): void {
    if (pipe.commands.length === 0) this.fail(`missing value for ${context}`);
    for (const [index, command] of pipe.commands.entries()) {
      const type = command.args[0]?.type as string;
      if (index > 0 && ['bool', 'dot', 'nil', 'number', 'string'].includes(type)) this.fail(`non executable command in pipeline stage ${index + 1}`);
    }
  }

  private command(): CommandNode {
    const command: CommandNode = { type: 'command', pos: this.peekSolid().pos, args: [] };
    for (;;) {
      this.peekSolid();
      const operand = this.operand();
      if (operand) command.args.push(operand);
      const token = this.take();
      if (token.type === 'space') continue;
      if (token.type === 'close' || token.type === ')') this.next--;
      else if (token.type !== 'pipe') this.unexpected(token, 'operand');
      break;
    }
    if (command.args.length === 0) this.fail('empty command');
    return command;
  }

  private operand(): OperandNode | undefined {
    const node = this.term();
    if (!node || this.peek().type !== 'field') return node;
    const names: string[] = [];
    // Go dates such an operand from its second part.
    const pos = this.peek().pos;
    while (this.peek().type === 'field') names.push(this.take().text.slice(1));
    switch (node.type) {
      case 'field':
        return { ...node, pos, names: [...node.names, ...names] };
      case 'variable':
        return { ...node, pos, names: [...node.names, ...names] };
      case 'bool':
      case 'string':
      case 'number':
      case 'nil':
      case 'dot':
        return this.fail(`unexpected . after term ${JSON.stringify(nodeText(node))}`);
      default:
        return { type: 'chain', pos, node, names };
    }
  }

  private term(): OperandNode | undefined {
    const token = this.takeSolid();
    const pos = token.pos;
    switch (token.type) {
      case 'identifier':
        return this.identifier(token);
      case 'dot':
        return { type: 'dot', pos };
      case 'keyword':
        if (token.text === 'nil') return { type: 'nil', pos };
        break;
      case 'variable':
        if (!this.variables.includes(token.text)) this.fail(`undefined variable ${JSON.stringify(token.text)}`, token);
        return { type: 'variable', pos, names: [token.text] };
      case 'field':
        return { type: 'field', pos, names: [token.text.slice(1)] };
      case 'bool':
        return { type: 'bool', pos, value: token.text === 'true' };
      case 'charConstant':
      case 'number':
        return this.number(token);
      case '(':
        return this.pipeline('parenthesized pipeline', ')');
      case 'string':
        return { type: 'string', pos, quoted: token.text, text: unquote(token.text) ?? this.fail('invalid syntax', token) };
      case 'rawString':
        return { type: 'string', pos, quoted: token.text, text: token.text.slice(1, -1).replaceAll('\r', '') };
      default:
    }
    this.next--;
    return undefined;
  }

  private identifier(token: Token): IdentifierNode {
    if (!this.hasFunction(token.text)) this.fail(`function ${JSON.stringify(token.text)} not defined`, token);
    return { type: 'identifier', pos: token.pos, name: token.text };
  }

  private number(token: Token): OperandNode {
    const parsed = token.type === 'number' ? parseNumber(token.text) : parseCharConstant(token.text);
    if (parsed === undefined) return this.fail(`malformed character constant: ${token.text}`, token);
    if (typeof parsed === 'string') return this.fail(parsed, token);
    return { type: 'number', pos: token.pos, ...parsed };
  }
}

function startsOperand(token: Token): boolean {
  switch (token.type) {
    case 'bool':
    case 'charConstant':
    case 'number':
    case 'dot':
    case 'field':
    case 'identifier':
    case 'rawString':
    case 'string':
    case 'variable':
    case '(':
      return true;
    default:
      return token.type === 'keyword' && token.text === 'nil';
  }
}

function tokenText(token: Token): string {
  if (token.type === 'eof') return 'EOF';
  if (token.type === 'keyword') return `<${token.text}>`;
  return token.text.length > 10 ? `${JSON.stringify(token.text.slice(0, 10))}...` : JSON.stringify(token.text);
}
