/**
 * A tiny shell process that outlives the kubelet's by a moment: it is told of every process group that is
 * started and ended, and when its standard input closes it kills what is left. It catches children that
 * cannot notice the death of their parent themselves: blocked, stopped, or not ours.
 */
import { spawn, type ChildProcess } from 'node:child_process';

// POSIX sh without any other program (dash knows no `kill -9 --`). Signals that a terminal sends to the whole group are ignored.
const SCRIPT = `trap '' INT TERM HUP
groups=' '
while read -r op id; do
  case $op in
    +) groups="$groups$id " ;;
    -) case $groups in *" $id "*) groups="\${groups%% $id *} \${groups#* $id }" ;; esac ;;
  esac
done
for id in $groups; do kill -s KILL -- "-$id" 2>/dev/null; done
exit 0`;

export interface Reaper {
  started: (group: number) => void;
  ended: (group: number) => void;
  /** Kills everything that is still registered and ends the helper. */
  close(): void;
}

/** Starts the helper. `onLost` hears of its unexpected end; protection is then reduced to the pipes. */
export function startReaper(onLost: (reason: string) => void): Reaper {
  let closing = false;
  const child: ChildProcess = spawn('/bin/sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true, env: {}, cwd: '/' });
  child.on('error', (error) => onLost(error.message));
  child.on('exit', (code, signal) => {
    if (!closing) onLost(`reaper ended (${signal ?? code})`);
  });
  child.unref();
  const input = child.stdin;
  input?.on('error', () => {});
  (input as { unref?: () => void } | null)?.unref?.();
  const tell = (line: string) => {
    if (!closing) input?.write(line);
  };
  return {
    started: (group) => tell(`+ ${group}\n`),
    ended: (group) => tell(`- ${group}\n`),
    close() {
      closing = true;
      input?.end();
    },
  };
}
