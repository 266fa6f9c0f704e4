"""`python -m rnn_conformance.vectors`."""

import sys

from rnn_conformance.vectors.cli import main

sys.exit(main())
