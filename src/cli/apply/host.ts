/** What the offline commands need from the machine. Implemented by `cmd`, faked by tests. */
import type { SourceTree } from '#base/sourcetree';
import type { TemplateTools } from '#core/target';

export interface FileHost {
  /** Everything below a folder; `.` is the working folder. Throws an `Error` naming a folder that is not there. */
  readTree(dir: string): SourceTree;
  /** Throws an `Error` naming a file that is not there. */
  readFile(path: string): string;
  writeFile(path: string, text: string): void;
  /** Standard output and standard error. */
  print(text: string): void;
  warn(text: string): void;
  /** The few variables the commands know: COMMIT, NAMESPACE. */
  env: Readonly<Record<string, string | undefined>>;
  gzip(bytes: Uint8Array): Uint8Array;
  gunzip(bytes: Uint8Array): Uint8Array;
  templates: TemplateTools;
  /** Seeds what charts ask of chance and time. */
  nowMs: number;
}
