import { byId, on } from "../dom.js";
import { remedy } from "../flow.js";
import { drawCode } from "../qr.js";

const ICONS = {
  accepted: "check",
  recovered: "check",
  duplicate: "known",
  review: "unsure",
  adjudication: "unsure",
  not_found: "unsure",
  refused: "stop",
};

/** Says what was decided, or why nothing was, and what to do next. */
export function result(kiosk, signal, { answer, problem }) {
  const event = problem ? remedy(problem.code) : "left";
  if (event === "shut") {
    kiosk.happened("shut", { reason: `problem.${problem.code}` });
    return;
  }
  if (problem) showProblem(kiosk.translator, problem);
  else showOutcome(kiosk.translator, answer.outcome, kiosk.visit.consents);
  showCode(kiosk.translator, answer ?? {});
  const again = byId("again");
  again.hidden = event === "left";
  if (event !== "left") {
    kiosk.translator.show(again, `result.${event}`);
    on("again", "click", () => kiosk.happened(event), signal);
  }
  on("finish", "click", () => kiosk.happened("left"), signal);
}

function showOutcome(translator, outcome, consents) {
  showIcon(outcome);
  translator.show(byId("result-title"), `result.${outcome}`);
  const lead = `result.${outcome}.lead`;
  const kept = consents.includes("enrolled") && translator.has(`${lead}.kept`);
  translator.show(byId("result-lead"), kept ? `${lead}.kept` : lead);
  translator.show(byId("result-next"), `result.${outcome}.next`);
}

function showProblem(translator, { code, detail }) {
  showIcon("refused");
  const known = translator.has(`problem.${code}`);
  translator.show(byId("result-title"), "result.problem");
  translator.show(byId("result-lead"), known ? `problem.${code}` : "problem.unknown");
  // What only an operator can mend, or is newer than our texts, is told in the service's English.
  if (known && code !== "clock_skewed") translator.show(byId("result-next"), "result.problem.next");
  else translator.showUntranslated(byId("result-next"), detail);
}

function showIcon(kind) {
  byId("verdict").dataset.kind = kind;
  byId("verdict-icon").setAttribute("href", `icons.svg#${ICONS[kind]}`);
}

/**
 * What the person takes home as a code: the signed receipt, or where two people are to decide, the
 * address that tells the outcome.
 */
function showCode(translator, { receipt, outcome, enrollment_id: number }) {
  const undecided = outcome === "adjudication";
  byId("receipt").hidden = !(receipt || undecided);
  if (byId("receipt").hidden) return;
  const text = undecided ? "result.number" : "result.receipt";
  translator.show(byId("receipt-caption"), text);
  const code = byId("receipt-code");
  code.dataset.textLabel = `${text}.code`;
  code.setAttribute("aria-label", translator.text(`${text}.code`));
  drawCode(code, undecided ? `${location.origin}/v1/enrollments/${number}` : receipt);
}
