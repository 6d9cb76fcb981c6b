import assert from "node:assert/strict";
import { test } from "node:test";

import { Shutter, SteadyHint, advise } from "../../../enrollment/kiosk_page/guidance.js";

const FRAME = { width: 1280, height: 720 };
const WELL_LIT = {
  brightness: 130,
  underexposed: 0.01,
  overexposed: 0,
  dynamicRange: 6.8,
  sideLight: 0.1,
  sharpness: 300,
};

/** A face of a size, with its middle somewhere, its nose moved sideways, and tilted. */
function face({ size = 330, at = [640, 360], nose = 0, roll = 0, level = 0.55 } = {}) {
  const [cx, cy] = at;
  const eye = 0.38 * size; // distance of the eyes
  const points = [
    [-eye / 2, -0.12 * size],
    [eye / 2, -0.12 * size],
    [nose * eye, (-0.12 + 0.35 * level) * size],
    [-0.4 * eye, 0.23 * size],
    [0.4 * eye, 0.23 * size],
  ];
  const [cos, sin] = [Math.cos(roll), Math.sin(roll)];
  return {
    box: [cx - 0.38 * size, cy - size / 2, cx + 0.38 * size, cy + size / 2],
    landmarks: points.map(([x, y]) => [cx + cos * x - sin * y, cy + sin * x + cos * y]),
    confidence: 0.95,
  };
}

const look = (faces, measures = WELL_LIT) => ({ ...FRAME, faces: [faces].flat(), measures });

test("a well placed, well lit, sharp face that looks straight is held", () => {
  assert.equal(advise(look(face()), "front"), "hold");
});

test("each fault has its own hint", () => {
  const cases = {
    no_face: look([]),
    one_person: look([face(), face({ size: 200, at: [200, 360] })]),
    closer: look(face({ size: 180 })),
    back: look(face({ size: 560 })),
    center: look(face({ at: [300, 360] })),
    straighten: look(face({ roll: 0.5 })),
    brighter: look(face(), { ...WELL_LIT, brightness: 30 }),
    darker: look(face(), { ...WELL_LIT, brightness: 235 }),
    even_light: look(face(), { ...WELL_LIT, sideLight: 0.8 }),
    sharper: look(face(), { ...WELL_LIT, sharpness: 8 }),
    uncover: look({ ...face(), confidence: 0.85 }),
    look_straight: look(face({ nose: 0.25 })),
    look_up: look(face({ level: 0.8 })),
    look_down: look(face({ level: 0.3 })),
  };
  for (const [hint, seen] of Object.entries(cases)) assert.equal(advise(seen, "front"), hint);
});

test("light is judged by its range and its extremes too", () => {
  const judge = (change) => advise(look(face(), { ...WELL_LIT, ...change }), "front");
  assert.equal(judge({ underexposed: 0.5 }), "brighter");
  assert.equal(judge({ overexposed: 0.3 }), "darker");
  assert.equal(judge({ dynamicRange: 4 }), "even_light");
});

test("a small face in the background does not disturb", () => {
  const seen = look([face(), face({ size: 120, at: [200, 200] })]);
  assert.equal(advise(seen, "front"), "hold");
});

test("turning is asked for in the person's own directions", () => {
  const [left, straight, right, far] = [0.27, 0, -0.27, 0.6].map((nose) => look(face({ nose })));
  assert.equal(advise(straight, "left"), "turn_left");
  assert.equal(advise(right, "left"), "turn_left");
  assert.equal(advise(left, "left"), "hold");
  assert.equal(advise(straight, "right"), "turn_right");
  assert.equal(advise(right, "right"), "hold");
  assert.equal(advise(far, "left"), "turn_less");
});

test("the shutter needs time and frames, and starts again after a fault", () => {
  const shutter = new Shutter();
  assert.equal(shutter.advance("hold", 0), 0);
  assert.ok(shutter.advance("hold", 900) < 1, "two frames are too few, however far apart");
  assert.equal(shutter.advance("hold", 950), 1);
  assert.equal(shutter.advance("sharper", 1000), 0);
  assert.equal(shutter.advance("hold", 1010), 0);
});

test("a hint stays long enough to be read, but good news is told at once", () => {
  const steady = new SteadyHint();
  assert.equal(steady.next("closer", 0), "closer");
  assert.equal(steady.next("center", 300), "closer");
  assert.equal(steady.next("center", 950), "center");
  assert.equal(steady.next("hold", 960), "hold");
});
