/**
 * Progress for a person: on a terminal one block that is redrawn, when piped one line per change. What is
 * shown is data (steps with a state); this file only paints it.
 */
import { styleText } from 'node:util';

export type StepState = 'waiting' | 'running' | 'done' | 'failed';

export interface ProgressStep {
  name: string;
  state: StepState;
  detail?: string;
}

export interface ProgressOutput {
  write(text: string): void;
  isTTY: boolean;
}

const MARKS: Readonly<Record<StepState, string>> = { waiting: ' ', running: '…', done: '✔', failed: '✖' };
const COLOURS: Readonly<Record<StepState, 'gray' | 'cyan' | 'green' | 'red'>> = { waiting: 'gray', running: 'cyan', done: 'green', failed: 'red' };

export class Progress {
  readonly #output: ProgressOutput;
  readonly #elapsedMs: () => number;
  #drawnLines = 0;
  #printed = new Map<string, string>();

  constructor(output: ProgressOutput, elapsedMs: () => number) {
    this.#output = output;
    this.#elapsedMs = elapsedMs;
  }

  /** Shows the steps as they are now. */
  show(steps: readonly ProgressStep[]): void {
    if (this.#output.isTTY) this.#redraw(steps);
    else this.#printChanges(steps);
  }

  #redraw(steps: readonly ProgressStep[]): void {
    const lines = steps.map(({ name, state, detail }) => `${styleText(COLOURS[state], MARKS[state])} ${name}${detail ? styleText('gray', `  ${detail}`) : ''}`);
    const back = this.#drawnLines > 0 ? `\u001b[${this.#drawnLines}A\u001b[J` : '';
    this.#output.write(`${back}${lines.join('\n')}\n`);
    this.#drawnLines = lines.length;
  }

  #printChanges(steps: readonly ProgressStep[]): void {
    for (const { name, state, detail = '' } of steps) {
      const text = `${MARKS[state]} ${name}${detail ? `  ${detail}` : ''}`;
      if (state === 'waiting' || this.#printed.get(name) === text) continue;
      this.#printed.set(name, text);
      this.#output.write(`${(this.#elapsedMs() / 1000).toFixed(1).padStart(6)}s ${text}\n`);
    }
  }
}
