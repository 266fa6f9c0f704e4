"""Files that anybody may have written: bounded, inside their folder, one ValueError each."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.numpy import load

from rnn_conformance.exchange import Tensors


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


def arrays_of(name: str, content: bytes) -> Tensors:
    """The arrays of a safetensors file by name. Raises ValueError, which names the file."""
    try:
        return load(content)
    except (SafetensorError, ValueError) as error:
        raise ValueError(f"{name}: {shown(str(error))}") from error
    except KeyError as error:
        raise ValueError(f"{name}: numbers of type {error}, which NumPy lacks") from error


def shown(text: str) -> str:
    """One line of at most some 300 characters, all of which can be printed."""
    line = " ".join(text.split())
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line[:300])
