/**
 * Splitting a text into YAML documents as Kubernetes' tools do: by lines that start with `---`, before any
 * YAML is parsed (k8s.io/apimachinery util/yaml, YAMLReader). A separator may carry a comment, nothing else.
 */
import { GoYamlError } from './error.ts';

export interface DocumentText {
  readonly text: string;
  /** One-based line of the first line of `text`. */
  readonly line: number;
}

/** The documents of `text`, empty ones left out. */
export function splitDocuments(text: string, options: { file?: string } = {}): DocumentText[] {
  const documents: DocumentText[] = [];
  const lines = text.split('\n');
  let start = 0;
  const close = (end: number) => {
    const body = lines.slice(start, end).join('\n');
    if (body.trim() !== '') documents.push({ text: body, line: start + 1 });
  };
  for (const [index, line] of lines.entries()) {
    if (!line.startsWith('---')) continue;
    const rest = line.slice(3).trim();
    if (rest !== '' && !rest.startsWith('#')) {
      throw new GoYamlError(`invalid Yaml document separator: ${rest}`, { file: options.file, line: index + 1 });
    }
    close(index);
    start = index + 1;
  }
  close(lines.length);
  return documents;
}
