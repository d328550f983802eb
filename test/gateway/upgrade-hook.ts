/** Servers that ask a hook who may connect, a hook whose answers the test gives, and requests to them. */

import type { webSocket } from 'ohos-websocket';
import { within } from '../helpers/deadline.js';
import { type ServerConfig, TestServer } from '../helpers/endpoints.js';
import type { RequestSpec } from '../helpers/frames.js';
import { RawPeer, upgradeRequest } from '../helpers/peers.js';

type Hook = webSocket.UpgradeHook;
type Request = webSocket.UpgradeRequest;
type Decision = webSocket.UpgradeDecision;

/** A hook whose answers the test gives. */
export class Desk {
  readonly asked: { request: Request; decide: (decision: Decision) => void }[] = [];
  #notify: () => void = () => undefined;

  readonly hook: Hook = (request) =>
    new Promise((decide) => {
      this.asked.push({ request, decide });
      this.#notify();
    });

  /** The request number `n`, from 0. */
  async next(n = 0) {
    const there = (async () => {
      while (this.asked.length <= n) {
        await new Promise<void>((resolve) => {
          this.#notify = resolve;
        });
      }
    })();
    await within(there, `request ${n} to reach the hook`);
    return this.asked[n] as (typeof this.asked)[number];
  }
}

export function startWith(
  onUpgrade: unknown,
  config: Partial<ServerConfig> = {},
): Promise<TestServer> {
  return TestServer.start({ onUpgrade: onUpgrade as Hook, ...config });
}

export function offering(protocols: string): string {
  return `Sec-WebSocket-Protocol: ${protocols}`;
}

/** Sends a request, and reads the answer with its body. */
export async function ask(server: TestServer, request: RequestSpec = {}) {
  const peer = await RawPeer.connect({ port: server.port });
  peer.write(upgradeRequest(request));
  const head = await peer.readHead();
  const body = head.status === 101 ? '' : String((await peer.readBytesToEnd()).bytes);
  return { peer, head, body };
}
