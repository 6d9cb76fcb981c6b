import { isLive, nextFrame, openCamera } from "../camera.js";
import { byId } from "../dom.js";
import { Shutter, SteadyHint, advise } from "../guidance.js";

const CELEBRATION = 700; // milliseconds that a taken picture is shown as such

/** Guides the person, and takes each picture by itself when all is well. */
export async function capture(kiosk, signal) {
  const { visit, vision, translator } = kiosk;
  const video = byId("stage-video");
  visit.wipeFrames();
  byId("capture-error").textContent = "";
  byId("stage").dataset.state = "searching";
  try {
    await openCamera(video, signal);
  } catch {
    translator.show(byId("capture-error"), "capture.no_camera");
    return;
  }
  while (!visit.isComplete) {
    const pose = visit.session.poses[visit.frames.length];
    showCount(translator, visit);
    await takeWhenReady(kiosk, video, pose, signal);
    if (signal.aborted) return;
    if (!isLive(video)) {
      translator.show(byId("capture-error"), "capture.no_camera");
      return;
    }
    visit.frames.push(await vision.keep());
    showHint(translator, "taken");
    byId("stage").dataset.state = "taken";
    await new Promise((resolve) => setTimeout(resolve, CELEBRATION));
    if (signal.aborted) return;
  }
  visit.seal();
  kiosk.happened("captured");
}

/** Resolve when the frame that the worker holds shows the pose well, or the camera is gone. */
async function takeWhenReady(kiosk, video, pose, signal) {
  const shutter = new Shutter();
  const steady = new SteadyHint();
  while (!signal.aborted && isLive(video)) {
    await nextFrame();
    const observation = await kiosk.vision.observe(video);
    if (signal.aborted) return;
    const hint = advise(observation, pose);
    const progress = shutter.advance(hint, performance.now());
    if (observation.faces.length) kiosk.touch();
    showHint(kiosk.translator, steady.next(hint, performance.now()));
    showFace(observation, hint, progress);
    if (progress === 1) return;
  }
}

function showHint(translator, hint) {
  translator.show(byId("hint"), `hint.${hint}`);
  translator.show(byId("hint-spoken"), `hint.${hint}`);
  byId("stage").dataset.hint = hint;
}

function showCount(translator, { frames, session }) {
  const values = { number: frames.length + 1, count: session.poses.length };
  translator.show(byId("counter"), "capture.counter", values);
}

function showFace({ width, height, faces }, hint, progress) {
  byId("stage").dataset.state = hint === "hold" ? "holding" : "searching";
  byId("progress").style.strokeDashoffset = String(1 - progress);
  byId("overlay").setAttribute("viewBox", `0 0 ${width} ${height}`);
  const [left, top, right, bottom] = faces[0]?.box ?? [0, 0, 0, 0];
  const shape = { x: left, y: top, width: right - left, height: bottom - top };
  for (const [name, value] of Object.entries(shape)) byId("face-box").setAttribute(name, value);
}
