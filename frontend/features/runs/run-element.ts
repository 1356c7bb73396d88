/** An element about the run that its attribute `data-run` names, at the step on view. */

import { stateOnView } from "../../core/state-on-view.ts";
import type { State } from "../../core/types.ts";
import { LiveElement } from "../../ui/live-element.ts";

export class RunElement extends LiveElement {
  get runName() {
    return this.dataset.run ?? "";
  }

  get run() {
    return stateOnView(this.state).runs[this.runName];
  }

  override isReady(state: State) {
    return Boolean(stateOnView(state).runs[this.runName]) && state.experiment !== null;
  }
}
