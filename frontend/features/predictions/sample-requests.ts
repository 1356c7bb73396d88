/**
 * Requests the samples of an experiment, once: when the fit of one input comes into sight, or a
 * diverged run of two inputs, which has no map.
 * Owns: when to request.
 */

import { lacksSamples, samplesOf } from "../../core/data-picture.ts";
import type { Clients } from "../../core/net/api.ts";

/** ms until the next try */
const AGAIN = 2_000;

export function createSampleRequests({ api, store, environment }: Clients) {
  let timer: any = null;
  let isAsking = false;
  let stopped = false;

  async function ask() {
    const state = store.get();
    if (isAsking || stopped || !state.experiment || !lacksSamples(state)) return;
    isAsking = true;
    const data = await api.data(state.experiment.id).catch(() => null);
    isAsking = false;
    if (data) store.dispatch({ type: "samples", samples: samplesOf(state, data) });
    // also after a change of the experiment meanwhile
    timer = lacksSamples(store.get()) ? environment.setTimeout(ask, AGAIN) : null;
  }

  const unwatch = store.watch(lacksSamples, ask);

  return {
    stop() {
      stopped = true;
      unwatch();
      environment.clearTimeout(timer);
    },
  };
}
