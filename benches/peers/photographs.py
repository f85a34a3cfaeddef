"""Sets of JPEG files made of photographs that Python packages have."""

import shutil

import environment

# The packages whose wheels have photographs, and the photographs, at least as large as a small one of ours.
PACKAGES = ["scikit-image==0.26.0", "scikit-learn==1.9.1"]
FILES = [
    "sklearn/datasets/images/china.jpg", "sklearn/datasets/images/flower.jpg", "skimage/data/astronaut.png",
    "skimage/data/coffee.png", "skimage/data/rocket.jpg", "skimage/data/motorcycle_left.png",
    "skimage/data/hubble_deep_field.jpg", "skimage/data/retina.jpg", "skimage/data/ihc.png",
]
# A photograph's width and height, and photographs in a row and in a column of a large one.
SIZE, GRID, LARGE = (500, 375), 4, 6
QUALITY = 90
# The sets, and how many images of each are a turn.
SETS = {"500x375": 600, "2000x1500": 60}

SCRIPT = """
import pathlib, random, sys
from PIL import Image, ImageOps

source, target, files, sizes = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3].split(), sys.argv[4:]
width, height, grid, large, quality = map(int, sizes)
photographs = [ImageOps.fit(Image.open(source / file).convert("RGB"), (width, height), Image.LANCZOS) for file in files]
small, montages = target / f"{width}x{height}", target / f"{grid * width}x{grid * height}"
for folder in [small, montages]:
    folder.mkdir(parents=True)
for file, photograph in zip(files, photographs):
    photograph.save(small / f"{pathlib.Path(file).stem}.jpg", quality=quality)
draw = random.Random(1)
for number in range(large):
    montage = Image.new("RGB", (grid * width, grid * height))
    for place in range(grid * grid):
        montage.paste(draw.choice(photographs), (place % grid * width, place // grid * height))
    montage.save(montages / f"{number}.jpg", quality=quality)
"""


def prepare(cache, python):
    """The folder with a folder for each set, made if it isn't there yet."""
    folder = cache.resolve() / f"photographs-{environment.digest(environment.HERE / 'photographs.py')}"
    done = folder / "done"
    if not done.exists():
        environment.say(f"making photographs in {folder}")
        shutil.rmtree(folder, ignore_errors=True)
        packages = folder / "packages"
        environment.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
                         "--target", packages, *PACKAGES])
        sizes = map(str, [*SIZE, GRID, LARGE, QUALITY])
        environment.run([python, "-c", SCRIPT, packages, folder, " ".join(FILES), *sizes])
        shutil.rmtree(packages)
        done.touch()
    return folder
