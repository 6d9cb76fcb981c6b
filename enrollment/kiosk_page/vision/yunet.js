// YuNet (Wu et al., 2023): pixels to its input, and its outputs to faces, as OpenCV's
// FaceDetectorYN does on the service, so that page and service see the same face.

/** Width and height of the network's input, pixels. */
export const SIDE = 640;

const STRIDES = [8, 16, 32];
const CONFIDENCE = 0.8;
const OVERLAP = 0.3; // intersection over union from which two boxes are one face

/**
 * A face in pixels of the frame.
 * @typedef {object} Face
 * @property {[number, number, number, number]} box left, top, right, bottom
 * @property {[number, number][]} landmarks eye on the picture's left, eye on its right, nose tip,
 *   left and right corner of the mouth
 * @property {number} confidence in [0, 1]
 */

/**
 * Give the network's input: blue, green and red planes of 0 to 255.
 * @param {Uint8ClampedArray} rgba SIDE x SIDE pixels
 * @returns {Float32Array} 3 x SIDE x SIDE
 */
export function toPlanes(rgba) {
  const size = SIDE * SIDE;
  const planes = new Float32Array(3 * size);
  for (let i = 0, pixel = 0; i < size; i++, pixel += 4) {
    planes[i] = rgba[pixel + 2];
    planes[i + size] = rgba[pixel + 1];
    planes[i + 2 * size] = rgba[pixel];
  }
  return planes;
}

/**
 * Read the network's outputs.
 * @param {Record<string, Float32Array>} outputs cls_8, obj_8, bbox_8, kps_8, and of 16 and 32
 * @param {number} scale network pixels for each pixel of the frame
 * @returns {Face[]} the widest first
 */
export function decode(outputs, scale) {
  const found = STRIDES.flatMap((stride) => decodeLevel(outputs, stride, scale));
  return suppressOverlaps(found).sort((a, b) => width(b) - width(a));
}

/** @param {Record<string, Float32Array>} outputs @returns {Face[]} */
function decodeLevel(outputs, stride, scale) {
  const [cls, obj, bbox, kps] = ["cls", "obj", "bbox", "kps"].map((n) => outputs[`${n}_${stride}`]);
  const columns = SIDE / stride;
  const unit = stride / scale;
  const faces = [];
  for (let cell = 0; cell < cls.length; cell++) {
    const confidence = Math.sqrt(clamp(cls[cell]) * clamp(obj[cell]));
    if (confidence < CONFIDENCE) continue;
    const [x, y] = [cell % columns, Math.floor(cell / columns)];
    const [dx, dy, logWidth, logHeight] = bbox.subarray(4 * cell, 4 * cell + 4);
    const [halfWidth, halfHeight] = [Math.exp(logWidth) / 2, Math.exp(logHeight) / 2];
    const [cx, cy] = [x + dx, y + dy];
    const box = [cx - halfWidth, cy - halfHeight, cx + halfWidth, cy + halfHeight];
    const landmarks = [0, 1, 2, 3, 4].map((i) => [
      (kps[10 * cell + 2 * i] + x) * unit,
      (kps[10 * cell + 2 * i + 1] + y) * unit,
    ]);
    faces.push({ box: box.map((edge) => edge * unit), landmarks, confidence });
  }
  return faces;
}

/** Keep the surest of boxes that overlap. @param {Face[]} faces */
function suppressOverlaps(faces) {
  const kept = [];
  for (const face of faces.sort((a, b) => b.confidence - a.confidence)) {
    if (kept.every((other) => overlap(face.box, other.box) <= OVERLAP)) kept.push(face);
  }
  return kept;
}

function overlap(a, b) {
  const across = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const down = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (across <= 0 || down <= 0) return 0;
  return (across * down) / (area(a) + area(b) - across * down);
}

const area = ([left, top, right, bottom]) => (right - left) * (bottom - top);
const width = ({ box }) => box[2] - box[0];
const clamp = (value) => Math.min(1, Math.max(0, value));
