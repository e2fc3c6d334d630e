import type { EventLog } from '@touchstone/event-log';
import type { Clock, HttpApp, Logger, Metrics, Readiness, Scheduler } from '@touchstone/runtime';
import { createAddressGuard, type AddressGuard } from './address-guard.ts';
import { AlertIntake } from './alert-intake.ts';
import { registerAlertLinkRoutes } from './alert-link-routes.ts';
import { DecisionIntake } from './decision-intake.ts';
import { registerDeliveryRoutes } from './delivery-routes.ts';
import { Dispatcher } from './dispatcher.ts';
import { EndpointBook } from './endpoint-book.ts';
import { registerEndpointRoutes } from './endpoint-routes.ts';
import { createNotifierStore, type NotifierStore } from './notifier-store.ts';
import { createSender, type Sender } from './send-request.ts';
import type { NotifierSettings } from './settings.ts';

export interface NotifierOptions {
  readonly store: NotifierStore;
  readonly settings: NotifierSettings;
  readonly scheduler: Scheduler;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** It can't go on: the topic or the store can not be worked with. */
  readonly onFatal: (cause: unknown) => void;
  /** Replaced in tests. */
  readonly sender?: Sender;
}

/** Alerts to whoever should act on them: webhooks and Slack. */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #guard: AddressGuard;
  readonly #sender: Sender;
  readonly #book: EndpointBook;
  readonly #dispatcher: Dispatcher;
  readonly #decisions: DecisionIntake;
  readonly #intake: AlertIntake;

  constructor(options: NotifierOptions) {
    const { settings } = options;
    this.#options = options;
    this.#guard = createAddressGuard({
      allowedNetworks: settings.NOTIFY_ALLOW_PRIVATE,
      allowsHttp: settings.NOTIFY_ALLOW_HTTP,
      ports: new Set(settings.NOTIFY_PORTS),
    });
    this.#sender = options.sender ?? createSender({ guard: this.#guard });
    this.#book = new EndpointBook(options);
    this.#dispatcher = new Dispatcher({ ...options, book: this.#book, sender: this.#sender, publicUrl: settings.PUBLIC_URL });
    const parts = { ...options, book: this.#book, dispatcher: this.#dispatcher };
    this.#decisions = new DecisionIntake(parts);
    this.#intake = new AlertIntake({ ...parts, decisions: this.#decisions });
  }

  /** Endpoints first: an alert that is read before they are known would be for nobody. */
  async start(log: Pick<EventLog, 'extents' | 'committed' | 'subscribe'>): Promise<void> {
    await this.#book.start();
    this.#dispatcher.start();
    this.#decisions.start(log);
    await this.#intake.start(log);
  }

  readiness(): Readiness {
    const ready = this.#intake.isFollowing;
    return { ready, detail: ready ? 'alerts are followed' : 'endpoints and alerts are not followed yet' };
  }

  /** No more is read, then no more is sent; what is pending is sent after the next start. */
  async stop(): Promise<void> {
    await this.#intake.stop();
    await this.#decisions.stop();
    this.#book.stop();
    await this.#dispatcher.stop();
    this.#sender.close();
  }

  registerRoutes(app: HttpApp, clock: Clock): void {
    const { metrics, settings, store } = this.#options;
    const options = {
      book: this.#book,
      dispatcher: this.#dispatcher,
      guard: this.#guard,
      store: createNotifierStore(store, metrics),
      clock,
      ownerBudget: settings.NOTIFY_OWNER_BUDGET,
    };
    registerEndpointRoutes(app, options);
    registerDeliveryRoutes(app, options);
    registerAlertLinkRoutes(app, { ...options, metrics });
  }
}
