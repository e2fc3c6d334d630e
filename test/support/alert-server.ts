import type { Server } from './start-server.ts';

/** Settings that let a server send to a port of this machine, in the clear. */
export const receiverSettings = (port: number): Record<string, string> => ({
  NOTIFY_ALLOW_PRIVATE: '127.0.0.0/8',
  NOTIFY_ALLOW_HTTP: 'true',
  NOTIFY_PORTS: String(port),
});

/** Publishes a model and waits until it is in force. */
export async function publishModel(server: Server, model: { readonly version: string }): Promise<void> {
  await postJson(server, '/v1/models', model, 202);
  for (;;) {
    const { version } = await server.get<{ version: string }>('/v1/models/current');
    if (version === model.version) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Makes an endpoint of alerts; its id. */
export async function addEndpoint(server: Server, endpoint: object): Promise<string> {
  const { id } = await postJson<{ id: string }>(server, '/v1/endpoints', endpoint, 201);
  return id;
}

async function postJson<Answer>(server: Server, path: string, body: object, expected: number): Promise<Answer> {
  const response = await server.fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (response.status !== expected) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Answer;
}
