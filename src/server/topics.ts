/**
 * The subscribers of each topic. A topic is any string, compared literally, without patterns. It exists while it has
 * subscribers.
 */
export class Topics<Subscriber> {
  readonly #topics = new Map<string, Set<Subscriber>>();
  #subscriptions = 0;

  /** How many topics there are. */
  get size(): number {
    return this.#topics.size;
  }

  /** How many subscriptions there are. */
  get subscriptions(): number {
    return this.#subscriptions;
  }

  /** Adds a subscription. Returns false if it already existed. */
  add(topic: string, subscriber: Subscriber): boolean {
    const subscribers = this.#topics.get(topic);
    if (subscribers === undefined) this.#topics.set(topic, new Set([subscriber]));
    else if (subscribers.has(subscriber)) return false;
    else subscribers.add(subscriber);
    this.#subscriptions++;
    return true;
  }

  /** Ends a subscription. Returns false if there was none. */
  delete(topic: string, subscriber: Subscriber): boolean {
    const subscribers = this.#topics.get(topic);
    if (subscribers?.delete(subscriber) !== true) return false;
    if (subscribers.size === 0) this.#topics.delete(topic);
    this.#subscriptions--;
    return true;
  }

  /** The subscribers of a topic; undefined if there is none. */
  of(topic: string): ReadonlySet<Subscriber> | undefined {
    return this.#topics.get(topic);
  }
}
