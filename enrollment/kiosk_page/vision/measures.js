// Light and sharpness of a face, measured on the same aligned crop as the service measures them.

/** Width and height of the aligned crop, pixels. */
export const ALIGNED = 112;

// Where ArcFace-style embedders want eyes, nose and mouth in the crop (Deng et al., 2019).
const REFERENCE = [
  [38.2946, 51.6963],
  [73.5318, 51.5014],
  [56.0252, 71.7366],
  [41.5493, 92.3655],
  [70.7299, 92.2041],
];
const INNER = [20, 92]; // the part that shows skin and not background
const DARKEST = 25; // luma up to which a pixel is underexposed
const BRIGHTEST = 247; // luma from which it is overexposed

/**
 * The least-squares similarity that brings landmarks to the reference points: in complex numbers
 * a regression, w = a z + b.
 * @param {[number, number][]} landmarks five points in pixels of the frame
 * @returns {[number, number, number, number, number, number]} for a canvas's `setTransform`
 */
export function alignment(landmarks) {
  const [zx, zy] = mean(landmarks);
  const [wx, wy] = mean(REFERENCE);
  let [real, imaginary, norm] = [0, 0, 0];
  landmarks.forEach(([x, y], i) => {
    const [px, py] = [x - zx, y - zy];
    const [qx, qy] = [REFERENCE[i][0] - wx, REFERENCE[i][1] - wy];
    real += px * qx + py * qy;
    imaginary += px * qy - py * qx;
    norm += px * px + py * py;
  });
  const [a, b] = [real / norm, imaginary / norm];
  return [a, b, -b, a, wx - a * zx + b * zy, wy - b * zx - a * zy];
}

/**
 * @typedef {object} Measures
 * @property {number} brightness mean luma of the inner face, 0 to 255
 * @property {number} underexposed fraction of pixels without shades in the dark
 * @property {number} overexposed fraction of pixels without shades in the light
 * @property {number} dynamicRange entropy of the luma's histogram, bits
 * @property {number} sideLight how much brighter one half is than the other, 0 to 1
 * @property {number} sharpness variance of the Laplacian of the luma
 */

/**
 * @param {Uint8ClampedArray} rgba ALIGNED x ALIGNED pixels of an aligned face
 * @returns {Measures}
 */
export function measure(rgba) {
  const luma = innerLuma(rgba);
  const side = INNER[1] - INNER[0];
  const laplacian = [];
  for (let y = 1; y < side - 1; y++) {
    for (let x = 1; x < side - 1; x++) {
      const i = y * side + x;
      const around = luma[i - 1] + luma[i + 1] + luma[i - side] + luma[i + side];
      laplacian.push(around - 4 * luma[i]);
    }
  }
  const left = average(luma.filter((_, i) => i % side < side / 2));
  const right = average(luma.filter((_, i) => i % side >= side / 2));
  const shades = histogram(luma);
  return {
    brightness: average(luma),
    underexposed: sum(shades.slice(0, DARKEST + 1)),
    overexposed: sum(shades.slice(BRIGHTEST)),
    dynamicRange: -sum(shades.map((share) => (share > 0 ? share * Math.log2(share) : 0))),
    sideLight: Math.abs(left - right) / Math.max(left, right, 1),
    sharpness: variance(laplacian),
  };
}

/** Luma (ITU-R BT.601) of the inner part of a crop. */
function innerLuma(rgba) {
  const [from, to] = INNER;
  const luma = new Float32Array((to - from) ** 2);
  let i = 0;
  for (let y = from; y < to; y++) {
    for (let x = from; x < to; x++) {
      const pixel = 4 * (y * ALIGNED + x);
      luma[i++] = 0.299 * rgba[pixel] + 0.587 * rgba[pixel + 1] + 0.114 * rgba[pixel + 2];
    }
  }
  return luma;
}

/** The share of each shade, 0 to 255. */
function histogram(luma) {
  const shares = new Float64Array(256);
  for (const value of luma) shares[Math.round(value)] += 1 / luma.length;
  return shares;
}

const mean = (points) => [0, 1].map((axis) => average(points.map((point) => point[axis])));
const sum = (values) => values.reduce((total, value) => total + value, 0);
const average = (values) => sum(values) / values.length;

function variance(values) {
  const middle = average(values);
  return values.reduce((total, value) => total + (value - middle) ** 2, 0) / values.length;
}
