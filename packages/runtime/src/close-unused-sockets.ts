import type { Socket } from 'node:net';
import type { HttpApp } from './http-app-type.ts';

/**
 * Lets go of connections that have carried no request yet when the app closes. Browsers and HTTP clients open them in advance; Node counts
 * them as busy, so that a stop would wait for them until its deadline.
 */
export function closeUnusedSockets(app: HttpApp): void {
  const unused = new Set<Socket>();
  let isClosing = false;

  app.server.on('connection', (socket) => {
    if (isClosing) {
      socket.destroy();
      return;
    }
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  app.server.on('request', ({ socket }) => unused.delete(socket));
  app.addHook('preClose', async () => {
    isClosing = true;
    for (const socket of unused) socket.destroy();
  });
}
