// The camera. Its light is on only while a screen needs it.

const WANTED = {
  audio: false,
  video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 720 } },
};

/**
 * Show the camera's picture until the signal aborts.
 * @param {HTMLVideoElement} video
 * @param {AbortSignal} signal
 * @returns {Promise<void>} when the first frame is there. Rejects where there is no camera, or
 *   no permission to use it.
 */
export async function openCamera(video, signal) {
  const stream = await navigator.mediaDevices.getUserMedia(WANTED);
  const close = () => {
    for (const track of stream.getTracks()) track.stop();
    if (video.srcObject === stream) video.srcObject = null;
  };
  if (signal.aborted) return close();
  signal.addEventListener("abort", close, { once: true });
  video.srcObject = stream;
  await video.play();
}

/** Whether the camera still sends pictures: somebody may have pulled its plug. */
export function isLive(video) {
  return video.srcObject?.getVideoTracks()[0]?.readyState === "live";
}

/** Wait until the browser has something new to draw. */
export function nextFrame() {
  return new Promise((resolve) => requestAnimationFrame(resolve));
}
