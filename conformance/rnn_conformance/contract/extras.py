"""Libraries that only an extra of this package installs."""

from importlib import import_module

from rnn_conformance.contract.refusal import CannotBeJudged

LIBRARIES = {
    "reports": ("jinja2", "jsonschema"),  # HTML pages, and reading reports
    "onnx": ("onnx",),
    "files": ("jsonschema", "safetensors"),  # programs and test vectors
}


def need(extra: str, what: str) -> None:
    """Raises CannotBeJudged, with one line that names the extra, where a library of it is missing.

    Args:
        what: needs it, for the message.
    """
    install = f'to install it: pip install "rnn-conformance[{extra}]"'
    for library in LIBRARIES[extra]:
        try:
            import_module(library)
        except ImportError as error:
            raise CannotBeJudged(f"{what}: {library} is missing; {install}") from error
