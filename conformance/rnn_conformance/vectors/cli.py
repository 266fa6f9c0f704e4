"""The command: write vectors, judge results."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from rnn_conformance.contract.refusal import CannotBeJudged, need
from rnn_conformance.faces import status
from rnn_conformance.faces.reports import files
from rnn_conformance.faces.terminal import print_report
from rnn_conformance.vectors.export import export
from rnn_conformance.vectors.manifest import VERSION, digest
from rnn_conformance.vectors.verify import verify

RELEASED = Path(__file__).with_name("released.txt")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 where all is well, 1 where results are wrong, 2 for bad input."""
    options = _parser().parse_args(arguments)
    try:
        return _export(options) if options.vectors == "export" else _verify(options)
    except (CannotBeJudged, ValueError, OSError) as error:
        return status.not_judged(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rnn-conformance vectors", description="Frozen test vectors."
    )
    commands = parser.add_subparsers(required=True, metavar="command", dest="vectors")
    add = commands.add_parser("export", help="write the vectors to a new folder").add_argument
    add("folder", help="a new or an empty one")
    add("--seed", type=int, default=0, metavar="N", help="of the numbers")
    add("--only", action="append", metavar="ID", help="write this case alone (repeatable)")
    onnx = "write ONNX test cases instead: model.onnx and test_data_set_0 for each"
    add("--onnx", action="store_true", help=onnx)
    judging = "judge results that were computed elsewhere"
    statuses = "Exit status: 0 conforms, 1 does not conform, 2 could not be judged."
    add = commands.add_parser("verify", help=judging, epilog=statuses).add_argument
    add("folder", help="of the vectors")
    add("results", help="a folder with ID.safetensors for each computed case")
    padding = "what is promised of the output in the padding (default: zeros)"
    add("--padding", choices=("zeros", "undefined"), default="zeros", help=padding)
    add("--json", metavar="FILE", help="write all records to this file")
    return parser


def released() -> str:
    """The digest of the released set."""
    return RELEASED.read_text().split()[0]


def _export(options: argparse.Namespace) -> int:
    if options.onnx:
        need("onnx", "--onnx")
        from rnn_conformance.vectors.onnx_cases import write_onnx_cases

        written = write_onnx_cases(options.folder, seed=options.seed, only=options.only)
        print(f"{len(written)} ONNX test cases")
        return status.CONFORMS
    manifest = export(options.folder, seed=options.seed, only=options.only)
    found = digest(manifest)
    is_released = f"version {VERSION}, as released" if found == released() else "not a released set"
    print(f"{len(manifest.cases)} cases, sha256 of the manifest {found}: {is_released}")
    return status.CONFORMS


def _verify(options: argparse.Namespace) -> int:
    places = {"json": options.json} if options.json is not None else {}
    files.refuse(places)  # now rather than after the run
    report = verify(options.folder, options.results, padding=options.padding)
    files.write(report, places)
    print_report(Console(), report)
    return status.of(report)
