/**
 * Connects the app with its environment, the elements with the app, and the page.
 * Owns: concrete names only. No logic.
 */

import { createApp } from "./app.js";
import { registerPlotlyChart } from "./charts/plotly-chart.js";
import { registerContinueOffer } from "./components/continue-offer.js";
import { registerDataFields } from "./components/data-fields.js";
import { registerDoctorList } from "./components/doctor-list.js";
import { registerExhibitNote } from "./components/exhibit-note.js";
import { registerExhibitPicker } from "./components/exhibit-picker.js";
import { registerExportMenu } from "./components/export-menu.js";
import { registerFigureHeads } from "./components/figure-heads.js";
import { registerHelpDialog } from "./components/help-dialog.js";
import { registerInvitationOverlay } from "./components/invitation-overlay.js";
import { registerLayerEditor } from "./components/layer-editor.js";
import { registerNetworkDrawing } from "./components/network-drawing.js";
import { registerNetworkFields } from "./components/network-fields.js";
import { registerNoticeToast } from "./components/notice-toast.js";
import { registerPageTabs } from "./components/page-tabs.js";
import { registerPredictedTrue } from "./components/predicted-true.js";
import { registerRaceTable } from "./components/race-table.js";
import { registerRecipeRail } from "./components/recipe-rail.js";
import { registerRemedyQuestion } from "./components/remedy-question.js";
import { registerRunCard } from "./components/run-card.js";
import { registerShareDialog, registerShareMenu } from "./components/share-dialog.js";
import { registerSelfCheck } from "./components/self-check.js";
import { registerStatusStrip } from "./components/status-strip.js";
import { registerStepInspector } from "./components/step-inspector.js";
import { registerAnnouncer } from "./components/story-teller.js";
import { registerSummaryDialog } from "./components/summary-dialog.js";
import { registerTimeScrubber } from "./components/time-scrubber.js";
import { registerTopBar } from "./components/top-bar.js";
import { registerTransportBar } from "./components/transport-bar.js";
import { registerWatchLine } from "./components/watch-line.js";
import { openDashboard } from "./pages/dashboard.js";

const ELEMENTS = [
  registerTopBar, registerExhibitPicker, registerExhibitNote, registerExportMenu, registerPageTabs, registerTransportBar, registerTimeScrubber, registerContinueOffer, registerRecipeRail, registerDataFields, registerNetworkFields,
  registerLayerEditor, registerRunCard, registerStatusStrip, registerRaceTable, registerFigureHeads, registerPlotlyChart,
  registerInvitationOverlay, registerNetworkDrawing, registerPredictedTrue, registerDoctorList, registerSelfCheck, registerRemedyQuestion, registerNoticeToast, registerHelpDialog,
  registerSummaryDialog, registerAnnouncer, registerShareMenu, registerShareDialog, registerWatchLine, registerStepInspector,
];

const app = createApp();
for (const registerElement of ELEMENTS) registerElement(app);
openDashboard(app);
app.start();
