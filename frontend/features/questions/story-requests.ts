/**
 * Asks the server what happened, once all runs have come to the question's end.
 * Owns: asking once for each story.
 */

import { Refused } from "../../core/net/api.ts";
import { askedExhibit, awaitsStory, storyKey } from "../../core/questions.ts";
import type { Clients } from "../../core/net/api.ts";

const AGAIN = 2_000;

export function createStoryRequests({ api, store, environment }: Clients) {
  let lastKey = "";

  async function ask() {
    const state = store.get();
    const exhibit = askedExhibit(state);
    const key = storyKey(state);
    if (!awaitsStory(state) || !exhibit || !state.experiment || key === lastKey) return;
    lastKey = key;
    try {
      const story = await api.story(exhibit.name, state.experiment.id);
      if (story.outcome)
        store.dispatch({ type: "story", story: { ...story, key, exhibit: exhibit.name } });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      environment.setTimeout(() => {
        if (lastKey === key) lastKey = "";
        void ask();
      }, AGAIN);
    }
  }

  return {
    start: () =>
      store.watch(
        (state) => [awaitsStory(state), storyKey(state)],
        () => void ask(),
      ),
  };
}
