/** The tree of a parsed template. `text` fields hold the node as Go prints it in errors. */

interface NodeBase {
  /** Offset in the template, for error positions. */
  pos: number;
}

export interface TextNode extends NodeBase {
  type: 'text';
  text: string;
}

export interface ActionNode extends NodeBase {
  type: 'action';
  pipe: PipeNode;
}

export interface BranchNode extends NodeBase {
  type: 'if' | 'with' | 'range';
  pipe: PipeNode;
  list: ListNode;
  elseList: ListNode | undefined;
}

export interface TemplateCallNode extends NodeBase {
  type: 'template';
  name: string;
  pipe: PipeNode | undefined;
}

export interface JumpNode extends NodeBase {
  type: 'break' | 'continue';
}

export interface ListNode extends NodeBase {
  type: 'list';
  nodes: StatementNode[];
}

export type StatementNode = TextNode | ActionNode | BranchNode | TemplateCallNode | JumpNode;

export interface PipeNode extends NodeBase {
  type: 'pipe';
  isAssign: boolean;
  /** Variable names with `$`. */
  declarations: string[];
  commands: CommandNode[];
}

export interface CommandNode extends NodeBase {
  type: 'command';
  args: OperandNode[];
}

export interface IdentifierNode extends NodeBase {
  type: 'identifier';
  name: string;
}

export interface FieldNode extends NodeBase {
  type: 'field';
  names: string[];
}

export interface VariableNode extends NodeBase {
  type: 'variable';
  /** `$` name first, then fields. */
  names: string[];
}

export interface ChainNode extends NodeBase {
  type: 'chain';
  node: OperandNode;
  names: string[];
}

export interface NumberNode extends NodeBase {
  type: 'number';
  text: string;
  int: bigint | undefined;
  uint: bigint | undefined;
  float: number | undefined;
  complex: boolean;
  /** What the literal is where any type will do; `undefined` when it fits none. */
  ideal: unknown;
}

export interface StringNode extends NodeBase {
  type: 'string';
  quoted: string;
  text: string;
}

export interface BoolNode extends NodeBase {
  type: 'bool';
  value: boolean;
}

export interface SimpleNode extends NodeBase {
  type: 'dot' | 'nil';
}

export type OperandNode = IdentifierNode | FieldNode | VariableNode | ChainNode | NumberNode | StringNode | BoolNode | SimpleNode | PipeNode;

export type AnyNode = StatementNode | ListNode | OperandNode | CommandNode;

/** A named template. */
export interface Tree {
  name: string;
  /** The template text it was parsed in; positions refer to it. */
  parseName: string;
  source: string;
  root: ListNode;
}

/** The node as Go writes it in error messages. */
export function nodeText(node: AnyNode): string {
  switch (node.type) {
    case 'pipe':
      return pipeText(node);
    case 'command':
      return node.args.map((arg) => (arg.type === 'pipe' ? `(${pipeText(arg)})` : nodeText(arg))).join(' ');
    case 'identifier':
      return node.name;
    case 'field':
      return node.names.map((name) => `.${name}`).join('');
    case 'variable':
      return node.names.join('.');
    case 'chain':
      return `${node.node.type === 'pipe' ? `(${pipeText(node.node)})` : nodeText(node.node)}${node.names.map((name) => `.${name}`).join('')}`;
    case 'number':
      return node.text;
    case 'string':
      return node.quoted;
    case 'bool':
      return String(node.value);
    case 'dot':
      return '.';
    case 'nil':
      return 'nil';
    default:
      return statementText(node);
  }
}

function pipeText(node: PipeNode): string {
  const declarations = node.declarations.length ? `${node.declarations.join(', ')} ${node.isAssign ? '=' : ':='} ` : '';
  return declarations + node.commands.map(nodeText).join(' | ');
}

function statementText(node: StatementNode | ListNode): string {
  switch (node.type) {
    case 'text':
      return JSON.stringify(node.text);
    case 'action':
      return `{{${pipeText(node.pipe)}}}`;
    case 'template':
      return `{{template ${JSON.stringify(node.name)}${node.pipe ? ` ${pipeText(node.pipe)}` : ''}}}`;
    case 'break':
    case 'continue':
      return `{{${node.type}}}`;
    case 'list':
      return node.nodes.map(statementText).join('');
    default:
      return `{{${node.type} ${pipeText(node.pipe)}}}${statementText(node.list)}${node.elseList ? `{{else}}${statementText(node.elseList)}` : ''}{{end}}`;
  }
}

/** Nothing but white space: such a template never replaces a fuller one of the same name. */
export function isEmptyTree(list: ListNode): boolean {
  return list.nodes.every((node) => node.type === 'text' && node.text.trim() === '');
}
