"""Writes tests/fixtures/decode: image files of many kinds, and their pixels.

    python make_decode_reference.py [FOLDER]

NAME.rgb.png holds what Pillow's `ImageOps.exif_transpose` and `convert("RGB")` make of NAME, but for
16-bit gray, which Pillow cuts off at 255: there it holds the high byte. Needs NumPy and Pillow (13.0
wrote what is committed).
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

ORIENTATION = 0x0112


def main():
    default = Path(__file__).parent.parent / "fixtures" / "decode"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(3)
    blocks = rng.integers(0, 256, (4, 6, 3), dtype=np.uint8)
    y, x = np.mgrid[0:23, 0:37]
    waves = np.stack([127 + 120 * np.sin(x / 9 + y / 13 + phase) for phase in (0, 1, 2)], -1)
    color = Image.fromarray(waves.astype(np.uint8))
    color.paste(Image.fromarray(blocks), (5, 8))
    alpha = Image.fromarray(rng.integers(0, 256, (23, 37), dtype=np.uint8))
    gray = color.convert("L")
    rgba = color.copy()
    rgba.putalpha(alpha)
    gray_alpha = gray.copy()
    gray_alpha.putalpha(alpha)
    palette = color.quantize(16)
    deep = (np.asarray(gray).astype(np.uint16) << 8) + 131

    def save(name, image, expected=None, **options):
        image.save(folder / name, **options)
        if expected is None:
            with Image.open(folder / name) as again:
                expected = ImageOps.exif_transpose(again).convert("RGB")
        expected.save(folder / f"{name}.rgb.png", optimize=True)

    save("gray.png", gray)
    save("gray_alpha.png", gray_alpha)
    save("color.png", color)
    save("color_alpha.png", rgba)
    save("palette.png", palette)
    save("palette_transparent.png", palette, transparency=3)
    save("color_key.png", color, transparency=(127, 200, 233))
    save("bilevel.png", gray.convert("1"))
    save("gray_16.png", Image.fromarray(deep), Image.fromarray((deep >> 8).astype(np.uint8)).convert("RGB"))
    save("color.bmp", color)
    save("palette.bmp", palette)
    save("color_alpha.bmp", rgba)
    save("palette.gif", palette)
    save("transparent.gif", palette, transparency=3)
    others = [Image.fromarray(np.roll(np.asarray(palette), shift, 1)) for shift in (5, 9)]
    for other in others:
        other.putpalette(palette.getpalette())
    save("animated.gif", palette, save_all=True, append_images=others, duration=50)
    save("color.tiff", color, compression="tiff_lzw")
    save("deflate.tiff", color, compression="tiff_adobe_deflate")
    save("gray.tiff", gray)
    save("color_alpha.tiff", rgba)
    save("cmyk.tiff", color.convert("CMYK"))
    save("bilevel_fax.tiff", gray.convert("1"), compression="group4")
    save("lossless.webp", color, lossless=True)
    save("lossless_alpha.webp", rgba, lossless=True, exact=True)
    save("lossy.webp", color, quality=90)
    save("animated.webp", rgba, save_all=True, append_images=[rgba.rotate(180)], quality=90, duration=50)
    save("color_444.jpg", color, quality=95, subsampling=0)
    save("color_420.jpg", color, quality=90, subsampling=2)
    save("progressive.jpg", color, quality=90, progressive=True)
    save("gray.jpg", gray, quality=90)
    save("cmyk.jpg", color.convert("CMYK"), quality=95)
    save("ycck.jpg", color.convert("CMYK"), quality=90, subsampling=2)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        save(f"orientation_{orientation}.png", color, exif=exif)
    exif[ORIENTATION] = 6
    save("orientation_6.jpg", color, exif=exif, quality=95, subsampling=0)
    save("orientation_6.webp", color, exif=exif, lossless=True)
    save("orientation_6.tiff", color, exif=exif)


if __name__ == "__main__":
    main()
