/**
 * The child's half of "no pod process outlives its cluster". The kubelet starts each process with one end
 * of a pipe whose other end it alone holds; when the kubelet's process dies in whatever way, the pipe ends
 * and the child ends itself at once, without clean-up, as if its machine had lost power.
 *
 * Protocol: `FLEET_TS_PARENT_FD` names the inherited file descriptor (3). Nothing is ever written to it.
 * Entry points call {@link dieWithParent} first thing. A process that cannot do so (another program, a
 * blocked event loop) is ended by the reaper (reaper.ts) or by the next start of the kubelet.
 */
import { Socket } from 'node:net';

export const PARENT_FD = 'FLEET_TS_PARENT_FD';

/** Ends this process with SIGKILL when the pipe named in `env` ends; does nothing outside an embedded cluster. */
export function dieWithParent(env: Readonly<Record<string, string | undefined>>): void {
  const fd = Number(env[PARENT_FD]);
  if (!Number.isInteger(fd) || fd < 3) return;
  const die = () => process.kill(process.pid, 'SIGKILL');
  const pipe = new Socket({ fd, readable: true, writable: false });
  pipe.on('end', die).on('close', die).on('error', die);
  pipe.resume();
  pipe.unref();
}
