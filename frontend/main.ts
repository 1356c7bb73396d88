/**
 * Connects the app with its environment, the elements with the app, and the page.
 * Owns: concrete names only. No logic.
 */

import { createApp } from "./app.ts";
import { registerPlotlyChart } from "./charts/plotly-chart.ts";
import { registerContinueOffer } from "./components/continue-offer.ts";
import { registerDataFields } from "./components/data-fields.ts";
import { registerDoctorList } from "./components/doctor-list.ts";
import { registerExhibitNote } from "./components/exhibit-note.ts";
import { registerExhibitPicker } from "./components/exhibit-picker.ts";
import { registerExportMenu } from "./components/export-menu.ts";
import { registerFigureHeads } from "./components/figure-heads.ts";
import { registerHelpDialog } from "./components/help-dialog.ts";
import { registerInvitationOverlay } from "./components/invitation-overlay.ts";
import { registerLayerEditor } from "./components/layer-editor.ts";
import { registerNetworkDrawing } from "./components/network-drawing.ts";
import { registerNetworkFields } from "./components/network-fields.ts";
import { registerNoticeToast } from "./components/notice-toast.ts";
import { registerPageTabs } from "./components/page-tabs.ts";
import { registerPredictedTrue } from "./components/predicted-true.ts";
import { registerRaceTable } from "./components/run-table.ts";
import { registerRecipeRail } from "./components/recipe-rail.ts";
import { registerRemedyQuestion } from "./components/remedy-question.ts";
import { registerRunCard } from "./components/run-card.ts";
import { registerShareDialog, registerShareMenu } from "./components/share-dialog.ts";
import { registerSelfCheck } from "./components/self-check.ts";
import { registerStatusStrip } from "./components/status-strip.ts";
import { registerStepInspector } from "./components/step-inspector.ts";
import { registerAnnouncer } from "./components/announcer.ts";
import { registerSummaryDialog } from "./components/summary-dialog.ts";
import { registerTimeScrubber } from "./components/time-scrubber.ts";
import { registerTopBar } from "./components/top-bar.ts";
import { registerTransportBar } from "./components/transport-bar.ts";
import { registerWatchLine } from "./components/watch-line.ts";
import { openDashboard } from "./pages/dashboard.ts";

const ELEMENTS = [
  registerTopBar,
  registerExhibitPicker,
  registerExhibitNote,
  registerExportMenu,
  registerPageTabs,
  registerTransportBar,
  registerTimeScrubber,
  registerContinueOffer,
  registerRecipeRail,
  registerDataFields,
  registerNetworkFields,
  registerLayerEditor,
  registerRunCard,
  registerStatusStrip,
  registerRaceTable,
  registerFigureHeads,
  registerPlotlyChart,
  registerInvitationOverlay,
  registerNetworkDrawing,
  registerPredictedTrue,
  registerDoctorList,
  registerSelfCheck,
  registerRemedyQuestion,
  registerNoticeToast,
  registerHelpDialog,
  registerSummaryDialog,
  registerAnnouncer,
  registerShareMenu,
  registerShareDialog,
  registerWatchLine,
  registerStepInspector,
];

const app = createApp();
for (const registerElement of ELEMENTS) registerElement(app);
openDashboard(app);
app.start();
