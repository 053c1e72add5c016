/** What a served request needs of its exchange. */
export interface FollowedExchange {
  readonly signal: AbortSignal;
  /** The request that is told if the exchange fails, by `abortRequest`. */
  follower?: Request | undefined;
}
