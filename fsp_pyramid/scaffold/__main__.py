"""``python -m fsp_pyramid.scaffold``: update the files of the repository, in the current directory."""

from pathlib import Path

from . import DEPLOYMENTS, INI_FILES, REPOSITORY, render


def main(directory: Path) -> None:
    """Write all files with the repository's values."""
    for name in (*INI_FILES, *(name for names in DEPLOYMENTS.values() for name in names)):
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(name, REPOSITORY), encoding='utf-8')


if __name__ == '__main__':
    main(Path())
