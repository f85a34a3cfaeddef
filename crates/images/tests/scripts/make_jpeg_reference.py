"""Writes tests/fixtures/jpeg: small JPEG files of many kinds, and their pixels.

    python make_jpeg_reference.py
    python make_jpeg_reference.py --many FOLDER

NAME.rgb.png holds what Pillow's `convert("RGB")` makes of NAME, NAME.2.rgb.png, .4 and .8 what it makes of it at that part of
the size, which libjpeg-turbo decodes by itself. With --many some hundred files go to FOLDER,
parts of photos too, of each sampling, quality and coding; the tests compare them and print a table with

    JPEG_REFERENCE=FOLDER cargo test --release -p xception-models --test preprocessing_reference jpeg -- --nocapture

Needs NumPy and Pillow (13.0, with libjpeg-turbo 3.2, wrote what is committed),
for the samplings that Pillow doesn't write libjpeg-turbo's `cjpeg`, and for --many scikit-learn, which has photos.
"""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile

ImageFile.MAXBLOCK = 1 << 20  # where it is too small for a progressive file Pillow fails


def picture(width, height, seed):
    """Waves with hard edges, and noise: what tells decoders apart."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    waves = np.stack([127 + 120 * np.sin(x / 5 + y / 7 + phase) for phase in (0, 2, 4)], -1)
    waves[(x // 6 + y // 4) % 3 == 0] = (230, 20, 40)
    return Image.fromarray((waves + rng.normal(0, 9, waves.shape)).clip(0, 255).astype(np.uint8))


def inks(image):
    """The picture as CMYK with some black, which Pillow's own conversion leaves out."""
    ink = 255 - np.asarray(image)
    black = ink.min(-1, keepdims=True) // 2
    return Image.fromarray(np.concatenate([ink - black, black], -1), "CMYK")


def by_pillow(image, **options):
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def by_cjpeg(image, *options):
    source = b"P6\n%d %d\n255\n" % image.size + image.tobytes()
    return subprocess.run(["cjpeg", *options], input=source, capture_output=True, check=True).stdout


def without_huffman_tables(file):
    """As the frames of Motion JPEG are; the file must use the standard tables."""
    kept, position = file[:2], 2
    while file[position + 1] != 0xDA:
        end = position + 2 + int.from_bytes(file[position + 2 : position + 4], "big")
        if file[position + 1] != 0xC4:
            kept += file[position:end]
        position = end
    return kept + file[position:]


def few():
    """The files that are committed, by name."""
    odd, tiny = picture(37, 29, 1), picture(7, 5, 2)
    return {
        "444": by_pillow(odd, quality=90, subsampling=0),
        "422": by_pillow(odd, quality=75, subsampling=1),
        "420": by_pillow(odd, quality=75, subsampling=2),
        "420_worst": by_pillow(odd, quality=1, subsampling=2),
        "420_best": by_pillow(picture(17, 19, 3), quality=100, subsampling=2),
        "420_progressive": by_pillow(odd, quality=80, subsampling=2, progressive=True),
        "444_progressive": by_pillow(odd, quality=95, subsampling=0, progressive=True),
        "422_optimized": by_pillow(odd, quality=50, subsampling=1, optimize=True),
        "420_restarts": by_pillow(odd, quality=60, subsampling=2, restart_marker_blocks=1),
        "rgb": by_pillow(tiny, quality=85, keep_rgb=True),
        "gray": by_pillow(odd.convert("L"), quality=85),
        "gray_progressive": by_pillow(odd.convert("L"), quality=85, progressive=True),
        "cmyk": by_pillow(inks(odd), quality=85, subsampling=0),
        "cmyk_420": by_pillow(inks(odd), quality=85, subsampling=2),
        "cmyk_422_progressive": by_pillow(inks(odd), quality=85, subsampling=1, progressive=True),
        "tiny_420": by_pillow(tiny, quality=75, subsampling=2),
        "pixel_420": by_pillow(picture(1, 1, 4), quality=75, subsampling=2),
        "narrow_420": by_pillow(picture(3, 40, 5), quality=75, subsampling=2),
        "flat_422": by_pillow(picture(40, 2, 6), quality=75, subsampling=1),
        "440": by_cjpeg(odd, "-quality", "75", "-sample", "1x2"),
        "411": by_cjpeg(odd, "-quality", "75", "-sample", "4x1"),
        "410_progressive": by_cjpeg(odd, "-quality", "75", "-sample", "4x2", "-progressive"),
        "uneven": by_cjpeg(odd, "-quality", "75", "-sample", "2x2,2x1,1x2", "-restart", "2B"),
        "thirds": by_cjpeg(odd, "-quality", "75", "-sample", "3x1"),
        "without_tables": without_huffman_tables(by_pillow(odd, quality=75, subsampling=2)),
    }


def many():
    """Some hundred files, by name: SAMPLING-qQUALITY-..."""
    from sklearn.datasets import load_sample_images

    photos = load_sample_images().images
    sizes = [(1, 1), (2, 1), (3, 3), (7, 5), (8, 8), (17, 33), (31, 16), (65, 66), (300, 201)]
    codings = [[], ["-progressive"], ["-restart", "1"], ["-optimize", "-restart", "3B"]]
    samplings = {"444": "1x1", "422": "2x1", "420": "2x2", "440": "1x2", "411": "4x1", "uneven": "2x2,2x1,1x2"}
    qualities = [10, 30, 50, 75, 90, 100]
    files = {}
    for number, (width, height) in enumerate(sizes):
        for index, quality in enumerate(qualities):
            if (index + number) % 3 == 0:
                image = picture(width, height, 7 * number + index)
            else:
                photo = photos[index % 2]
                image = Image.fromarray(photo[50 + index : 50 + index + height, 60 : 60 + width])
            end = f"{width}x{height}.jpg"
            for sampling, factors in samplings.items():
                coding = codings[(index + number + len(files)) % 4]
                options = ["-quality", str(quality), "-sample", factors, *coding]
                files[f"{sampling}-q{quality}-{end}"] = by_cjpeg(image, *options)
            progressive = (index + number) % 2 == 0
            options = {"quality": quality, "progressive": progressive}
            files[f"gray-q{quality}-{end}"] = by_pillow(image.convert("L"), **options)
            files[f"rgb-q{quality}-{end}"] = by_pillow(image, keep_rgb=True, **options)
            files[f"cmyk_444-q{quality}-{end}"] = by_pillow(inks(image), subsampling=0, **options)
            files[f"cmyk_420-q{quality}-{end}"] = by_pillow(inks(image), subsampling=2, **options)
    for index, photo in enumerate(photos):
        for quality in qualities:
            for subsampling, name in enumerate(["444", "422", "420"]):
                options = {"quality": quality, "subsampling": subsampling, "progressive": quality == 50}
                file = by_pillow(Image.fromarray(photo), **options)
                files[f"{name}-q{quality}-photo{index}.jpg"] = file
    return files


def write_references(path):
    """Writes the pixels beside a file, at full size and at the reduced sizes."""
    for scale in (1, 2, 4, 8):
        with Image.open(path) as image:
            if scale > min(image.size):
                break
            if scale > 1:
                image.draft(None, [side // scale for side in image.size])
            name = f"{path.name}.rgb.png" if scale == 1 else f"{path.name}.{scale}.rgb.png"
            image.convert("RGB").save(path.with_name(name), optimize=True)


def main():
    if sys.argv[1:2] == ["--many"]:
        folder, files = Path(sys.argv[2]), many()
    else:
        folder = Path(__file__).parent.parent / "fixtures" / "jpeg"
        files = {f"{name}.jpg": file for name, file in few().items()}
    folder.mkdir(parents=True, exist_ok=True)
    for name, file in files.items():
        (folder / name).write_bytes(file)
        write_references(folder / name)


if __name__ == "__main__":
    main()
