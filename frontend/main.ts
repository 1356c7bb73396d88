/**
 * Connects the app with its environment, the elements with the app, and the page.
 * Owns: concrete names only. No logic.
 */

import { createApp } from "./app.ts";
import { registerPlotlyChart } from "./charts/plotly-chart.ts";
import { registerContinueOffer } from "./features/transport/continue-offer.ts";
import { registerDataFields } from "./features/recipe/data-fields.ts";
import { registerDoctorList } from "./features/doctor/doctor-list.ts";
import { registerExhibitNote } from "./features/exhibits/exhibit-note.ts";
import { registerExhibitPicker } from "./features/exhibits/exhibit-picker.ts";
import { registerExportMenu } from "./features/sharing/export-menu.ts";
import { registerFigureHeads } from "./features/figures/figure-heads.ts";
import { registerHelpDialog } from "./page/help-dialog.ts";
import { registerInvitationOverlay } from "./features/exhibits/invitation-overlay.ts";
import { registerLayerEditor } from "./features/recipe/layer-editor.ts";
import { registerNetworkDrawing } from "./features/network/network-drawing.ts";
import { registerNetworkFields } from "./features/recipe/network-fields.ts";
import { registerNoticeToast } from "./page/notice-toast.ts";
import { registerPageTabs } from "./page/page-tabs.ts";
import { registerPredictedTrue } from "./features/predictions/predicted-true.ts";
import { registerRaceTable } from "./features/runs/run-table.ts";
import { registerRecipeRail } from "./features/recipe/recipe-rail.ts";
import { registerRemedyQuestion } from "./features/doctor/remedy-question.ts";
import { registerRunCard } from "./features/runs/run-card.ts";
import { registerShareDialog, registerShareMenu } from "./features/sharing/share-dialog.ts";
import { registerSelfCheck } from "./features/doctor/self-check.ts";
import { registerStatusStrip } from "./page/status-strip.ts";
import { registerStepInspector } from "./features/inspector/step-inspector.ts";
import { registerAnnouncer } from "./page/announcer.ts";
import { registerSummaryDialog } from "./features/figures/summary-dialog.ts";
import { registerTimeScrubber } from "./features/transport/time-scrubber.ts";
import { registerTopBar } from "./page/top-bar.ts";
import { registerTransportBar } from "./features/transport/transport-bar.ts";
import { registerWatchLine } from "./features/sharing/watch-line.ts";
import { openDashboard } from "./page/dashboard.ts";

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
