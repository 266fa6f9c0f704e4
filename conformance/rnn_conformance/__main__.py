"""`python -m rnn_conformance`, where the command is not on the path."""

import sys

from rnn_conformance.faces.cli import main

if __name__ == "__main__":
    sys.exit(main())
