"""Files that anybody may have written: bounded, inside their folder, one ValueError each."""

from pathlib import Path


def content_of(folder: Path, name: str, most: int) -> bytes:
    """The bytes of a file in a folder.

    Args:
        most: how many bytes it may have; no more are ever held.

    Raises ValueError, with one line that names the file, where there is none, or it is larger, no
    regular file, or a link that leads out of the folder.
    """
    try:
        path = (folder / name).resolve(strict=True)
        if not path.is_relative_to(folder.resolve()):
            raise ValueError("expected a file in the folder, got a way out of it")
        if not path.is_file():
            raise ValueError("expected a regular file")
        with path.open("rb") as file:
            content = file.read(most + 1)
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: a link to itself
        raise ValueError(f"{name}: {getattr(error, 'strerror', None) or error}") from error
    if len(content) > most:
        raise ValueError(f"{name}: expected at most {most} bytes, got more")
    return content
