// Head pose from five landmarks, by the formula that the service judges frames by
// (enrollment/pose.py): where the nose stands in the affine frame of eyes and mouth.

const NOSE_HEIGHT = 0.4; // of the tip above the plane of eyes and mouth, in eye distances
const NOSE_LEVEL = 0.55; // of the tip on the way from eyes to mouth, looking straight ahead

/**
 * Degrees.
 * @typedef {object} HeadPose
 * @property {number} yaw positive when the person has turned to their own left
 * @property {number} pitch positive when they look down
 * @property {number} roll positive when the head is tilted clockwise in the picture
 */

/**
 * @param {[number, number][]} landmarks eye on the picture's left, eye on its right, nose tip,
 *   left and right corner of the mouth
 * @returns {HeadPose}
 */
export function headPose([leftEye, rightEye, nose, leftCorner, rightCorner]) {
  const eyes = middle(leftEye, rightEye);
  const eyeLine = minus(rightEye, leftEye);
  const down = minus(middle(leftCorner, rightCorner), eyes);
  const tip = minus(nose, eyes);
  const size = cross(eyeLine, down);
  return {
    yaw: degrees(Math.atan(cross(tip, down) / size / NOSE_HEIGHT)),
    pitch: degrees(Math.atan((cross(eyeLine, tip) / size - NOSE_LEVEL) / NOSE_HEIGHT)),
    roll: degrees(Math.atan2(eyeLine[1], eyeLine[0])),
  };
}

const middle = (a, b) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
const minus = (a, b) => [a[0] - b[0], a[1] - b[1]];
const cross = (a, b) => a[0] * b[1] - a[1] * b[0];
const degrees = (radians) => (180 * radians) / Math.PI;
