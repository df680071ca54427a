// A screenshot as a small PNG.
import sharp from 'sharp';

import { Failure } from './failure.mjs';

const MAX_BYTES = 300_000;
const PALETTES = [256, 128, 64, 32];

/** The PNG with the most colours that still is small enough. */
export async function compressed(screenshot) {
  for (const colours of PALETTES) {
    const png = await sharp(screenshot).png({ palette: true, colours, dither: 0, effort: 10, compressionLevel: 9 }).toBuffer();
    if (png.length <= MAX_BYTES) {
      return png;
    }
  }
  throw new Failure(`the picture stays above ${MAX_BYTES} bytes with ${PALETTES.at(-1)} colours`);
}
