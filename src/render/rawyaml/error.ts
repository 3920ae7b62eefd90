/** The one error of this room. */

/** YAML that Go's parser refuses. The message has Go's shape (`yaml: line 3: …`) behind the file, when one is known. */
export class GoYamlError extends Error {
  override name = 'GoYamlError';
  readonly file: string | undefined;
  /** One-based line in the file; `undefined` when the whole text is meant. */
  readonly line: number | undefined;
  /** The text after file and line. */
  readonly reason: string;

  constructor(reason: string, place: { file?: string | undefined; line?: number | undefined } = {}) {
    const at = place.line === undefined ? '' : `line ${place.line}: `;
    super(`${place.file ? `${place.file}: ` : ''}yaml: ${at}${reason}`);
    this.reason = reason;
    this.file = place.file;
    this.line = place.line;
  }
}
