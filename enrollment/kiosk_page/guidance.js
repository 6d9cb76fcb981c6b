// From what a frame shows to the one thing a person should do next. Pure: no DOM, no camera.
//
// Every limit lies inside the service's own, so that a frame which passes here passes there too.

import { headPose } from "./vision/pose.js";

/** @typedef {import("./vision/vision.js").Observation} Observation */
/** @typedef {"front" | "left" | "right"} Pose the person's own left and right */

const BYSTANDER_WIDTH_RATIO = 1 / 2; // of the widest face, as on the service
const FACE_HEIGHT = { min: 0.3, max: 0.72 }; // of the frame
const MIN_EYE_DISTANCE = 48; // pixels
const CENTER = [0.5, 0.5]; // of the frame, where the face's middle should be
const OFF_CENTER = { across: 0.16, down: 0.15 }; // of the frame's width and height
const BRIGHTNESS = { min: 60, max: 202 }; // mean luma
const MAX_UNDEREXPOSED = 0.32; // of the face's pixels
const MAX_OVEREXPOSED = 0.2;
const MIN_DYNAMIC_RANGE = 5.3; // bits
const MAX_SIDE_LIGHT = 0.6; // of the brighter half of the face
const MIN_SHARPNESS = 30; // variance of the Laplacian
const MIN_CONFIDENCE = 0.9; // of the detector, which falls when something covers a face
const MAX_ROLL = 18; // degrees
const MAX_PITCH = 24;
const MAX_FRONT_YAW = 14;
const TURNED_YAW = { min: 29, max: 52 };

/**
 * What to do, as the key of a text (`hint.<code>`); "hold" when all is well.
 * @typedef {"no_face" | "one_person" | "closer" | "back" | "center" | "straighten" | "darker"
 *   | "brighter" | "even_light" | "sharper" | "uncover" | "look_straight" | "look_up" | "look_down"
 *   | "turn_left" | "turn_right" | "turn_less" | "hold"} Hint
 */

/**
 * Judge a frame: the first thing that is wrong, in the order in which it is easiest to mend.
 * @param {Observation} observation
 * @param {Pose} pose what the frame has to show
 * @returns {Hint}
 */
export function advise({ width, height, faces, measures }, pose) {
  const [face, ...others] = faces;
  if (!face) return "no_face";
  if (others.some((other) => isBystander(other, face))) return "one_person";
  return (
    place(face, width, height) ??
    light(measures) ??
    attitude(headPose(face.landmarks), pose) ??
    clarity(face, measures, pose) ??
    "hold"
  );
}

function isBystander(other, face) {
  return across(other.box) >= BYSTANDER_WIDTH_RATIO * across(face.box);
}

function place({ box, landmarks }, width, height) {
  const size = (box[3] - box[1]) / height;
  const [[leftX, leftY], [rightX, rightY]] = landmarks;
  const turned = Math.cos((Math.PI / 180) * headPose(landmarks).yaw); // narrows the eyes' distance
  const eyeDistance = Math.hypot(rightX - leftX, rightY - leftY) / turned;
  if (size < FACE_HEIGHT.min || eyeDistance < MIN_EYE_DISTANCE) return "closer";
  if (size > FACE_HEIGHT.max) return "back";
  const offAcross = Math.abs((box[0] + box[2]) / 2 / width - CENTER[0]);
  const offDown = Math.abs((box[1] + box[3]) / 2 / height - CENTER[1]);
  return offAcross > OFF_CENTER.across || offDown > OFF_CENTER.down ? "center" : undefined;
}

function light({ brightness, underexposed, overexposed, dynamicRange, sideLight }) {
  if (brightness < BRIGHTNESS.min || underexposed > MAX_UNDEREXPOSED) return "brighter";
  if (brightness > BRIGHTNESS.max || overexposed > MAX_OVEREXPOSED) return "darker";
  const flat = dynamicRange < MIN_DYNAMIC_RANGE;
  return flat || sideLight > MAX_SIDE_LIGHT ? "even_light" : undefined;
}

/** @param {import("./vision/pose.js").HeadPose} head @param {Pose} pose */
function attitude({ yaw, pitch, roll }, pose) {
  if (Math.abs(roll) > MAX_ROLL) return "straighten";
  if (pose === "front") {
    if (Math.abs(yaw) > MAX_FRONT_YAW) return "look_straight";
  } else {
    const turned = pose === "left" ? yaw : -yaw;
    if (turned < TURNED_YAW.min) return pose === "left" ? "turn_left" : "turn_right";
    if (turned > TURNED_YAW.max) return "turn_less";
  }
  if (pitch > MAX_PITCH) return "look_up";
  return pitch < -MAX_PITCH ? "look_down" : undefined;
}

function clarity({ confidence }, { sharpness }, pose) {
  if (sharpness < MIN_SHARPNESS) return "sharper";
  return pose === "front" && confidence < MIN_CONFIDENCE ? "uncover" : undefined;
}

const across = ([left, , right]) => right - left;

const STEADY_TIME = 700; // milliseconds that all has to be well
const STEADY_FRAMES = 3;

/** Releases itself when all has been well for long enough. */
export class Shutter {
  #since = null;
  #frames = 0;

  /**
   * Take the next frame's hint.
   * @param {Hint} hint
   * @param {number} now milliseconds
   * @returns {number} how far the shutter is, 0 to 1; 1 releases it
   */
  advance(hint, now) {
    if (hint !== "hold") {
      this.reset();
      return 0;
    }
    this.#since ??= now;
    this.#frames += 1;
    return Math.min(1, (now - this.#since) / STEADY_TIME, this.#frames / STEADY_FRAMES);
  }

  reset() {
    this.#since = null;
    this.#frames = 0;
  }
}

const DWELL = 900; // milliseconds that a hint stays at least: people need time to read

/** Keeps hints from flickering. */
export class SteadyHint {
  #shown = null;
  #since = -Infinity;

  /** @param {Hint} hint @param {number} now milliseconds @returns {Hint} what to show */
  next(hint, now) {
    if (hint !== this.#shown && (hint === "hold" || now - this.#since >= DWELL)) {
      this.#shown = hint;
      this.#since = now;
    }
    return this.#shown;
  }
}
