// Everything that touches pixels, off the thread that draws the page. Holds one frame at most.

import * as ort from "../vendor/onnxruntime/ort.wasm.bundle.min.mjs";
import "../vendor/jsqr/jsQR.js";
import { ALIGNED, alignment, measure } from "./measures.js";
import { SIDE, decode, toPlanes } from "./yunet.js";

const MODEL = new URL("../models/face_detection.onnx", import.meta.url).href;
const JPEG_QUALITY = 0.92;
const CODE_SIDE = 960; // pixels; a larger picture is searched for a QR code scaled down

ort.env.wasm.wasmPaths = {
  wasm: new URL("../vendor/onnxruntime/ort-wasm-simd-threaded.wasm", import.meta.url).href,
};
ort.env.wasm.numThreads = 1;

const frame = canvas(1, 1);
const input = canvas(SIDE, SIDE);
const aligned = canvas(ALIGNED, ALIGNED);
let network;

const tasks = {
  /** Load the detector and run it once, so that the first face does not wait. */
  async prepare() {
    network = await ort.InferenceSession.create(MODEL, { executionProviders: ["wasm"] });
    await detect();
  },

  /** Look at a frame: its faces, and how well the widest is lit and focused. */
  async observe({ bitmap }) {
    take(bitmap);
    const { width, height } = frame.canvas;
    const faces = await detect();
    return { width, height, faces, measures: faces.length ? measureFace(faces[0]) : null };
  },

  /** Encode the frame that was observed last. */
  async keep() {
    const blob = await frame.canvas.convertToBlob({ type: "image/jpeg", quality: JPEG_QUALITY });
    return new Uint8Array(await blob.arrayBuffer());
  },

  /** Read a QR code. */
  async readCode({ bitmap }) {
    const scale = Math.min(1, CODE_SIDE / Math.max(bitmap.width, bitmap.height));
    take(bitmap, scale);
    const { width, height } = frame.canvas;
    const { data } = frame.getImageData(0, 0, width, height);
    return self.jsQR(data, width, height, { inversionAttempts: "attemptBoth" })?.data ?? null;
  },

  /** Overwrite every pixel that is held. */
  async forget() {
    resize(frame.canvas, 1, 1);
    input.clearRect(0, 0, SIDE, SIDE);
    aligned.clearRect(0, 0, ALIGNED, ALIGNED);
  },
};

self.addEventListener("message", async ({ data: { id, task, ...given } }) => {
  try {
    self.postMessage({ id, result: await tasks[task](given) });
  } catch (error) {
    self.postMessage({ id, error: String(error) });
  }
});

/** @param {ImageBitmap} bitmap closed here */
function take(bitmap, scale = 1) {
  resize(frame.canvas, Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
  frame.drawImage(bitmap, 0, 0, frame.canvas.width, frame.canvas.height);
  bitmap.close();
}

async function detect() {
  const { width, height } = frame.canvas;
  const scale = SIDE / Math.max(width, height);
  input.clearRect(0, 0, SIDE, SIDE);
  input.drawImage(frame.canvas, 0, 0, width * scale, height * scale);
  const planes = toPlanes(input.getImageData(0, 0, SIDE, SIDE).data);
  const outputs = await network.run({ input: new ort.Tensor("float32", planes, [1, 3, SIDE, SIDE]) });
  planes.fill(0);
  return decode(Object.fromEntries(Object.entries(outputs).map(([n, t]) => [n, t.data])), scale);
}

function measureFace(face) {
  aligned.setTransform(...alignment(face.landmarks));
  aligned.drawImage(frame.canvas, 0, 0);
  aligned.resetTransform();
  return measure(aligned.getImageData(0, 0, ALIGNED, ALIGNED).data);
}

function canvas(width, height) {
  return new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
}

/** Set a canvas's size; this clears it, also where the size stays. */
function resize(target, width, height) {
  target.width = width;
  target.height = height;
}
