/**
 * Connects the app with its environment, the elements with the app, and the page.
 * Owns: concrete names only. No logic.
 */

import { createApp } from "./app.ts";
import { registerPlotlyChart } from "./charts/plotly-chart.ts";
import { ContinueOffer } from "./features/transport/continue-offer.ts";
import { CsvDialog } from "./features/recipe/csv-dialog.ts";
import { DataFields } from "./features/recipe/data-fields.ts";
import { DataPicture } from "./features/predictions/data-picture.ts";
import { DoctorList } from "./features/doctor/doctor-list.ts";
import { ExhibitPicker } from "./features/exhibits/exhibit-picker.ts";
import { ExhibitQuestion } from "./features/questions/exhibit-question.ts";
import { FallLineView } from "./features/fallline/fall-line.ts";
import { PictureSwitch } from "./features/fallline/picture-switch.ts";
import { GradientHead, LossHead } from "./features/figures/figure-heads.ts";
import { HelpDialog } from "./page/help-dialog.ts";
import { LineButton } from "./features/inspector/line-button.ts";
import { LayerEditor } from "./features/recipe/layer-editor.ts";
import { NetworkDrawing } from "./features/network/network-drawing.ts";
import { NetworkFields } from "./features/recipe/network-fields.ts";
import { NoticeToast } from "./page/notice-toast.ts";
import { PredictedTrue } from "./features/predictions/predicted-true.ts";
import { RaceTable } from "./features/runs/run-table.ts";
import { DataLine, NetworkLine } from "./features/recipe/recipe-lines.ts";
import { RecipeRail } from "./features/recipe/recipe-rail.ts";
import { RemedyQuestion } from "./features/doctor/remedy-question.ts";
import { RunCard } from "./features/runs/run-card.ts";
import { RunOverview } from "./features/transport/run-overview.ts";
import { RunSettings } from "./features/runs/run-settings.ts";
import { ShareDialog, ShareMenu } from "./features/sharing/share-dialog.ts";
import { SelfCheckPanel } from "./features/doctor/self-check.ts";
import { StatusStrip } from "./page/status-strip.ts";
import { StepInspector } from "./features/inspector/step-inspector.ts";
import { Announcer } from "./page/announcer.ts";
import { SummaryDialog } from "./features/figures/summary-dialog.ts";
import { TimeScrubber } from "./features/transport/time-scrubber.ts";
import { ConnectionLine, MoreMenu } from "./page/top-bar.ts";
import { TransportBar } from "./features/transport/transport-bar.ts";
import { WhatHappened } from "./features/questions/what-happened.ts";
import { WatchLine } from "./features/sharing/watch-line.ts";
import { PresentButton, PresentView } from "./page/present-view.ts";
import { PrintSheet } from "./page/print-sheet.ts";
import { EmbedNames, EmbedNote, keepCharts, openEmbedded } from "./page/embedded.ts";
import { embeddedIn } from "./core/embed.ts";
import { openDashboard } from "./page/dashboard.ts";
import { type LiveElement, register } from "./ui/live-element.ts";

const ELEMENTS: Record<string, typeof LiveElement> = {
  "connection-line": ConnectionLine,
  "more-menu": MoreMenu,
  "exhibit-picker": ExhibitPicker,
  "exhibit-question": ExhibitQuestion,
  "transport-bar": TransportBar,
  "line-button": LineButton,
  "time-scrubber": TimeScrubber,
  "run-overview": RunOverview,
  "continue-offer": ContinueOffer,
  "recipe-rail": RecipeRail,
  "data-line": DataLine,
  "network-line": NetworkLine,
  "data-fields": DataFields,
  "network-fields": NetworkFields,
  "layer-editor": LayerEditor,
  "run-card": RunCard,
  "run-settings": RunSettings,
  "status-strip": StatusStrip,
  "race-table": RaceTable,
  "loss-head": LossHead,
  "picture-switch": PictureSwitch,
  "fall-line": FallLineView,
  "data-picture": DataPicture,
  "gradient-head": GradientHead,
  "network-drawing": NetworkDrawing,
  "predicted-true": PredictedTrue,
  "what-happened": WhatHappened,
  "doctor-list": DoctorList,
  "self-check": SelfCheckPanel,
  "remedy-question": RemedyQuestion,
  "notice-toast": NoticeToast,
  "help-dialog": HelpDialog,
  "summary-dialog": SummaryDialog,
  "page-announcer": Announcer,
  "present-button": PresentButton,
  "present-view": PresentView,
  "print-sheet": PrintSheet,
  "share-menu": ShareMenu,
  "share-dialog": ShareDialog,
  "csv-dialog": CsvDialog,
  "watch-line": WatchLine,
  "embed-names": EmbedNames,
  "embed-note": EmbedNote,
  "step-inspector": StepInspector,
};

const charts = embeddedIn(location.search);
if (charts) keepCharts(charts);
const app = createApp();
for (const [tag, Element] of Object.entries(ELEMENTS)) register(tag, Element, app);
registerPlotlyChart(app);
if (charts) openEmbedded(app);
else openDashboard(app);
app.start();
