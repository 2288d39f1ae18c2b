"""What the README shows is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_picture_is_there_in_both_lights_small_and_described():
    shown = re.findall(r'(?:src|srcset)="(docs/pictures/[^"]+)"', README)
    assert {name.removesuffix(".png").rpartition("-")[2] for name in shown} == {"light", "dark"}
    assert len(shown) == 16
    assert all((ROOT / name).stat().st_size < 150_000 for name in shown)
    assert all(len(words) > 20 for words in re.findall(r'<img [^>]*alt="([^"]*)"', README))
    assert sorted(path.name for path in (ROOT / "docs/pictures").iterdir()) == sorted(Path(name).name for name in shown)
